import fc from 'fast-check';
import type { HookConfig } from '@cds/wire';
import {
  flattenJson,
  formatGoNumber,
  LONG_NAME,
  MAX_FLATTENED_CHARACTERS,
  MAX_LONG_NAMES,
  MAX_VARIABLES,
} from '../../payloads/flatten-json';
import { MalformedExecutionError } from '../../payloads/malformed-execution';
import { isDecodableQuery } from '../../payloads/query-string';
import { planWebhook } from './plan-webhook';
import { validatePlanned } from './webhook.fixture';
import { planSchedule } from '../scheduler/plan-schedule';
import { parseQuery } from '../../payloads/query-string';
import { runsOf } from '../../../test/planned-runs';

function config(values: Record<string, string>): HookConfig {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key,
      { value, configurable: false, type: 'string', multiple_choice_list: null },
    ]),
  );
}

const JSON_TYPE = 'application/json';
const FORM = 'application/x-www-form-urlencoded';
const TRIGGERED_BY = {
  'cds.triggered_by.username': 'cds.webhook',
  'cds.triggered_by.fullname': 'CDS Webhook',
};

interface Request {
  method?: string;
  query?: string;
  type?: string;
  body?: string | Buffer;
  more?: Record<string, string>;
}

function delivery({
  method = 'POST',
  query = '',
  type = JSON_TYPE,
  body = '',
  more = {},
}: Request) {
  return {
    config: config({ project: 'LAMP', workflow: 'deploy', method, ...more }),
    query,
    contentType: type,
    body: Buffer.from(body),
  };
}

const payloadOf = (request: Request) => runsOf(planWebhook(delivery(request)))[0]?.payload ?? {};

describe('planWebhook', () => {
  it('plans one run, of no branch and no repository', () => {
    const plan = planWebhook(delivery({ query: 'git.branch=dev', body: '{"A":1}' }));
    const payload = { ...TRIGGERED_BY, 'git.branch': 'dev', a: '1', payload: '{"A":1}' };
    expect(plan).toEqual({ steps: [{ type: 'run', payload }], repository: '' });
  });

  it('hands on the configuration but project, workflow and method', () => {
    const more = { webHookURL: 'http://hooks/webhook/u', workflow_id: '7' };
    expect(payloadOf({ more, body: '[]' })).toEqual({ ...more, ...TRIGGERED_BY, payload: '[]' });
  });

  it('lets the first of query and body win, and the values overwrite all else', () => {
    expect(
      payloadOf({
        more: { workflow_id: '7', payload: 'configured' },
        query: 'a=1&a=2&cds.triggered_by.username=me&payload=mine',
        body: '{"a":"body","workflow_id":8,"b":true}',
      }),
    ).toEqual({
      ...TRIGGERED_BY,
      'cds.triggered_by.username': 'me',
      a: '1',
      workflow_id: '8',
      b: 'true',
      payload: 'mine',
    });
    expect(payloadOf({ more: { payload: 'configured' }, body: '{}' }).payload).toBe('configured');
  });

  it.each(['POST', 'PUT', 'PATCH'])('reads the body of a hook configured for %s', (method) => {
    expect(payloadOf({ method, body: '{"k":"v"}' })).toMatchObject({
      k: 'v',
      payload: '{"k":"v"}',
    });
  });

  it.each(['GET', 'DELETE', ''])('reads no body for a hook configured for "%s"', (method) => {
    expect(payloadOf({ method, query: 'x=1', body: '{"k":"v"}' })).toEqual({
      ...TRIGGERED_BY,
      x: '1',
    });
    expect(payloadOf({ method, type: FORM, body: 'k=%zz' })).toEqual(TRIGGERED_BY);
  });

  it('reads form-encoded bodies after the query, names kept as they are, without payload', () => {
    expect(
      payloadOf({
        type: `${FORM}; charset=UTF-8`,
        query: 'a=query',
        body: 'a=form&Upper+Case=%C3%A9+x&empty&=skipped&c=1;d=2&e=a=b&e=later',
      }),
    ).toEqual({
      ...TRIGGERED_BY,
      a: 'query',
      'Upper Case': 'é x',
      empty: '',
      c: '1',
      d: '2',
      e: 'a=b',
    });
  });

  it('reads raw UTF-8 in a form', () => {
    expect(payloadOf({ type: FORM, body: 'clé=✓' })).toMatchObject({ clé: '✓' });
  });

  it.each([
    'text/plain',
    'application/octet-stream',
    'application/vnd.api+json',
    'multipart/form-data',
    '',
  ])('leaves a body of type "%s" alone', (type) => {
    expect(payloadOf({ type, query: 'q=1', body: '{"k":1}' })).toEqual({ ...TRIGGERED_BY, q: '1' });
  });

  it.each([
    'application/json; charset=utf-8',
    'Application/JSON',
    ' application/json ;v=1',
    'application/json;',
  ])('knows "%s" as JSON', (type) => {
    expect(payloadOf({ type, body: '{"k":1}' })).toMatchObject({ k: '1' });
  });

  it.each([
    '"text"',
    '5',
    'true',
    'null',
    '',
    '{not json',
    '{"a":1}x',
    '{"big":1e400,"a":1}',
    '{}',
    '[]',
  ])('adds nothing but payload for %s', (body) => {
    expect(payloadOf({ body })).toEqual({ ...TRIGGERED_BY, payload: body });
  });

  it('treats __proto__ and constructor as names like any other', () => {
    for (const request of [
      { body: '{"__proto__":{"x":1},"constructor":"c","a":{"__proto__":"p"}}' },
      { type: FORM, body: '__proto__.x=1&constructor=c&a.__proto__=p' },
    ]) {
      const payload = payloadOf(request);
      expect(JSON.parse(JSON.stringify(payload))).toMatchObject({
        constructor: 'c',
        'a.__proto__': 'p',
      });
      expect(Object.keys(payload)).toContain('__proto__.x');
    }
    const own = payloadOf({ query: '__proto__=p', body: '{"toString":1}' });
    expect(Object.getOwnPropertyDescriptor(own, '__proto__')?.value).toBe('p');
    expect(Object.getPrototypeOf(own)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  describe('refuses', () => {
    it.each([
      ['an undecodable query', { query: 'a=1&%zz=1' }, /^the query holds "%zz"/],
      ['a half escape at its end', { query: 'a=%4' }, /"%4"/],
      [
        'an undecodable form',
        { type: FORM, body: 'a=100%' },
        /^the form-encoded body holds "%".*%25$/,
      ],
    ])('%s', (_, request, reason) => {
      expect(() => planWebhook(delivery(request))).toThrow(MalformedExecutionError);
      expect(validatePlanned(delivery(request))).toEqual({
        kind: 'refuse',
        reason: expect.stringMatching(reason),
      });
    });

    it('a body that would become gigabytes', () => {
      const levels = 15_000;
      const body = '{"a":1,"b":'.repeat(levels) + '1' + '}'.repeat(levels);
      expect(body.length).toBeLessThan(1024 * 1024);
      expect(validatePlanned(delivery({ body }))).toEqual({
        kind: 'refuse',
        reason: expect.stringMatching(/flatter/),
      });
    });
  });

  it('accepts what it can plan', () => {
    expect(validatePlanned(delivery({ query: 'a=%20', body: '{"a":[1]}' }))).toEqual({
      kind: 'accept',
    });
  });

  it('throws nothing but MalformedExecutionError, and gives texts only', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('GET', 'POST', 'PUT'),
        fc.oneof(fc.string(), fc.webQueryParameters()),
        fc.constantFrom(JSON_TYPE, FORM, 'text/plain', ''),
        fc.oneof(fc.string(), fc.json({ maxDepth: 6 }), fc.webQueryParameters()),
        (method, query, type, body) => {
          try {
            const payload = payloadOf({ method, query, type, body });
            for (const value of Object.values(payload)) expect(typeof value).toBe('string');
            expect(isDecodableQuery(query)).toBe(true);
          } catch (error) {
            expect(error).toBeInstanceOf(MalformedExecutionError);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('flattenJson', () => {
  const flat = (value: unknown) => Object.fromEntries(flattenJson(value));

  it('names the items of an array after it', () => {
    expect(flat({ Tags: ['x', null, { Id: 2 }, [true, ['y']]] })).toEqual({
      'tags.tags0': 'x',
      'tags.tags1': '',
      'tags.tags2.id': '2',
      'tags.tags3.tags30': 'true',
      'tags.tags3.tags31.tags310': 'y',
    });
  });

  it('names the items of an array at the root by their number', () => {
    expect(flat(['x', { a: 1 }, ['y']])).toEqual({ '0': 'x', '1.a': '1', '2.20': 'y' });
  });

  it('turns space, slash and colon into _ and lowers letters as Go does', () => {
    expect(flat({ 'My Key/a:b': 'V', ÉTÉ: 1, ΟΔΟΣ: 2, İx: 3, ' ': 4 })).toEqual({
      my_key_a_b: 'V',
      été: '1',
      οδοσ: '2',
      ix: '3',
      _: '4',
    });
  });

  it('leaves out empty names with all below them, empty objects and empty arrays', () => {
    expect(flat({ '': 1, a: { '': { b: 1 } }, b: {}, c: [[]], d: '' })).toEqual({ d: '' });
  });

  it('takes the first of two names that become one', () => {
    expect(flat({ A: 1, a: 2, 'a.b': 3, aX: { c: 1 }, 'ax.c': 2 })).toEqual({
      a: '1',
      'a.b': '3',
      'ax.c': '1',
    });
    expect(flat({ a: { b: 'nested' }, 'a.b': 'flat' })).toEqual({ 'a.b': 'nested' });
  });

  it('gives nothing for a root that is neither object nor array', () => {
    for (const root of ['x', 1, true, null]) expect(flat(root)).toEqual({});
  });

  it('gives every leaf of any JSON under a name of its own', () => {
    const key = fc.integer({ min: 0, max: 25 }).map((i) => String.fromCharCode(97 + i));
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: 'medium', withCrossShrink: true },
        fc.oneof(fc.string(), fc.boolean(), fc.integer(), fc.constant(null)),
        fc.array(tie('tree'), { maxLength: 4 }),
        fc.dictionary(key, tie('tree'), { maxKeys: 4 }),
      ),
    }));
    const leaves = (value: unknown): number =>
      typeof value === 'object' && value !== null
        ? Object.values(value).reduce<number>((sum, child) => sum + leaves(child), 0)
        : 1;
    fc.assert(fc.property(tree, (value) => flattenJson({ root: value }).size === leaves(value)));
  });

  it('stands nesting to the limit of a body, and stays within its bound', () => {
    const objects: unknown = JSON.parse('{"a":'.repeat(100_000) + '1' + '}'.repeat(100_000));
    const [[name, value] = []] = flattenJson(objects);
    expect(name).toHaveLength(199_999);
    expect(value).toBe('1');

    const arrays: unknown = JSON.parse('['.repeat(500_000) + ']'.repeat(500_000));
    expect(() => flattenJson(arrays)).toThrow(/flatter/);
    const long = 'x'.repeat(MAX_FLATTENED_CHARACTERS);
    expect(() => flattenJson({ a: long })).toThrow(/flatter/);
    expect(flattenJson({ a: long.slice(1) }).size).toBe(1);
  });

  it('refuses names that take long to tell apart, whatever the size of the body', () => {
    const nested = (depth: number, values: number): string =>
      `${'{"aaaaaaaaaa":'.repeat(depth)}[${Array(values).fill('1').join()}]${'}'.repeat(depth)}`;
    const validate = (json: string) =>
      validatePlanned({
        config: config({ method: 'POST' }),
        query: '',
        contentType: JSON_TYPE,
        body: Buffer.from(json),
      });
    const flatter = { kind: 'refuse', reason: expect.stringContaining('flatter') as string };
    expect(validate(nested(3_000, 480))).toEqual(flatter);
    const depth = Math.ceil(LONG_NAME / 11);
    expect(validate(nested(depth, MAX_LONG_NAMES))).toEqual({ kind: 'accept' });
    expect(validate(nested(depth, MAX_LONG_NAMES + 1))).toEqual(flatter);
    expect(validate(nested(depth / 2, 3_000))).toEqual(flatter);
    expect(() => planSchedule(config({ payload: nested(3_000, 480) }))).toThrow(
      MalformedExecutionError,
    );
    // What a program lists flattens into several times its size, as far as a body goes.
    const listed = Array.from({ length: 6_000 }, (_, id) => ({ id, links: { self: '/a/b' } }));
    const changes = JSON.stringify({ push: { changes: [{ commits: listed }] } });
    expect(flattenJson(JSON.parse(changes)).size).toBe(12_000);
    expect(validate(changes)).toEqual({ kind: 'accept' });
  });
});

describe('formatGoNumber', () => {
  it.each([
    [0, '0'],
    [-0, '-0'],
    [1, '1'],
    [-1.5, '-1.5'],
    [100000, '100000'],
    [999999, '999999'],
    [999999.9, '999999.9'],
    [1000000, '1e+06'],
    [1234567, '1.234567e+06'],
    [-123456789, '-1.23456789e+08'],
    [0.1, '0.1'],
    [0.0001, '0.0001'],
    [0.00012345, '0.00012345'],
    [0.00009, '9e-05'],
    [0.00001, '1e-05'],
    [1.5e-7, '1.5e-07'],
    [Number('12345678901234567890'), '1.2345678901234567e+19'],
    [1e21, '1e+21'],
    [1e100, '1e+100'],
    [5e-324, '5e-324'],
    [Number.MAX_VALUE, '1.7976931348623157e+308'],
    [2 ** 53, '9.007199254740992e+15'],
  ])('%d → %s', (value, text) => {
    expect(formatGoNumber(value)).toBe(text);
  });

  it('reads back the same, in the form its size asks for', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = formatGoNumber(value);
        expect(Object.is(Number(text), value)).toBe(true);
        const size = Math.abs(value);
        expect(/e[+-]\d\d/.test(text)).toBe(size !== 0 && (size >= 1e6 || size < 1e-4));
      }),
    );
  });
});

describe('parseQuery', () => {
  it.each([
    ['', []],
    ['&&;', []],
    ['a', [['a', '']]],
    ['a=', [['a', '']]],
    [
      'a=1&a=2',
      [
        ['a', '1'],
        ['a', '2'],
      ],
    ],
    [
      'a+b=c+d&e=%2B',
      [
        ['a b', 'c d'],
        ['e', '+'],
      ],
    ],
    [
      'a;b=1',
      [
        ['a', ''],
        ['b', '1'],
      ],
    ],
    ['=x&%3D=%26%3b', [['=', '&;']]],
    [
      'u=%f0%9F%98%80&bad=%ff',
      [
        ['u', '😀'],
        ['bad', '\uFFFD'],
      ],
    ],
  ])('reads "%s"', (text, pairs) => {
    expect(parseQuery(text)).toEqual({ pairs });
    expect(isDecodableQuery(text)).toBe(true);
  });

  it.each(['%', 'a=%', 'a=%g0', '%4', 'a=%2&b', '%%20', '%\n1'])('refuses "%s"', (text) => {
    expect(parseQuery(text)).toHaveProperty('problem', expect.stringContaining('percent'));
    expect(isDecodableQuery(text)).toBe(false);
  });

  it('reads back what a browser writes', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string({ unit: 'grapheme' })),
        ),
        (pairs) => {
          expect(parseQuery(new URLSearchParams(pairs).toString())).toEqual({ pairs });
        },
      ),
    );
  });
});

describe('planSchedule', () => {
  const SCHEDULED_BY = {
    'cds.triggered_by.username': 'cds.scheduler',
    'cds.triggered_by.fullname': 'CDS Scheduler',
  };
  const SCHEDULE = { cron: '@daily', timezone: 'UTC', project: 'P', workflow: 'w' };
  const payloadOf = (values: Record<string, string>) =>
    runsOf(planSchedule(config({ ...SCHEDULE, ...values })));

  it('asks for one run, with the flattened payload, its text, and the rest of the configuration', () => {
    const text = '{"Git": {"branch": "dev"}, "n": 1000000, "workflow_id": "0", "payload": "x"}';
    expect(payloadOf({ payload: text, workflow_id: '2' })).toEqual([
      {
        payload: {
          'git.branch': 'dev',
          n: '1e+06',
          payload: text,
          workflow_id: '2',
          ...SCHEDULED_BY,
        },
      },
    ]);
    expect(planSchedule(config(SCHEDULE)).steps).toEqual([{ type: 'run', payload: SCHEDULED_BY }]);
  });

  it('hands on nothing of {} or no payload, and the text alone of what is no JSON', () => {
    expect(payloadOf({ payload: '{}' })).toEqual([{ payload: SCHEDULED_BY }]);
    expect(payloadOf({})).toEqual([{ payload: SCHEDULED_BY }]);
    expect(payloadOf({ payload: '{"a"' })).toEqual([
      { payload: { payload: '{"a"', ...SCHEDULED_BY } },
    ]);
  });

  it('lets nobody pretend to be somebody else', () => {
    const text = '{"cds": {"triggered_by": {"username": "root"}}, "__proto__": {"x": 1}}';
    const [run] = payloadOf({ payload: text });
    expect(run?.payload).toMatchObject({ ...SCHEDULED_BY, '__proto__.x': '1' });
  });

  it('refuses what flattens into too much', () => {
    const text = `[[${Array.from({ length: MAX_VARIABLES + 1 }, () => '0').join(',')}]]`;
    expect(() => payloadOf({ payload: text })).toThrow(MalformedExecutionError);
  });
});
