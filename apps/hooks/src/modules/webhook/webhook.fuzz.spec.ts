import { anyText, fuzzRuns, growth, hostileBytes, hostileJson, LINEAR } from '@cds/testing';
import type { HookConfig } from '@cds/wire';
import fc from 'fast-check';
import { expectCleanPrototypes, fill, MIB } from '../../../test/hostile';
import { canonicalHeaders } from '../../payloads/canonical-headers';
import {
  flattenJson,
  formatGoNumber,
  MAX_FLATTENED_CHARACTERS,
  MAX_VARIABLES,
} from '../../payloads/flatten-json';
import { MalformedExecutionError } from '../../payloads/malformed-execution';
import { mediaType, planWebhook, type WebhookDelivery } from './plan-webhook';
import { validatePlanned } from './webhook.fixture';
import { isDecodableQuery, parseQuery } from '../../payloads/query-string';
import { runsOf } from '../../../test/planned-runs';

afterEach(expectCleanPrototypes);

const JSON_TYPE = 'application/json';
const FORM = 'application/x-www-form-urlencoded';
const value = (text: string) => ({
  value: text,
  configurable: false,
  type: '',
  multiple_choice_list: null,
});
const config: HookConfig = { method: value('POST'), project: value('P'), own: value('mine') };

const request = (body: string | Buffer, contentType = JSON_TYPE, query = ''): WebhookDelivery => ({
  config,
  query,
  contentType,
  body: Buffer.from(body),
});

/** What the run would be told, or why there is none. */
function outcome(delivery: WebhookDelivery): Record<string, string> | MalformedExecutionError {
  try {
    const [run] = runsOf(planWebhook(delivery));
    return run?.payload ?? {};
  } catch (error) {
    if (error instanceof MalformedExecutionError) return error;
    throw error;
  }
}

/** What must hold of any request. */
function check(delivery: WebhookDelivery): void {
  const payload = outcome(delivery);
  const again = outcome({ ...delivery, body: Buffer.from(delivery.body) });
  if (payload instanceof MalformedExecutionError) {
    expect(payload.message.length).toBeLessThan(300);
    expect(again).toEqual(payload);
    expect(validatePlanned(delivery)).toEqual({ kind: 'refuse', reason: payload.message });
    return;
  }
  expect(validatePlanned(delivery)).toEqual({ kind: 'accept' });
  expect(Object.entries(again)).toEqual(Object.entries(payload));
  expect(Object.getPrototypeOf(payload)).toBe(Object.prototype);
  const entries = Object.entries(payload);
  let characters = 0;
  for (const [key, text] of entries) {
    if (typeof text !== 'string') throw new TypeError(`${key} is no text`);
    characters += key.length + text.length;
  }
  const size = delivery.body.length + delivery.query.length;
  expect(entries.length).toBeLessThan(2 * MAX_VARIABLES + 10);
  expect(characters).toBeLessThan(MAX_FLATTENED_CHARACTERS + 2 * size + 500);
}

/** What somebody else's service posts. */
const EVENT = {
  action: 'opened',
  'Pull Request': { Number: 7, 'merge/able': null, labels: [{ name: 'a' }, { name: 'b' }] },
  amounts: [1, 2.5, 1e21, -0, [true, false]],
  toString: 'x',
};

describe('a request to a plain webhook', () => {
  it('with a body that is nearly JSON is planned or refused, the same every time', () => {
    const body = hostileBytes(fc, hostileJson(fc, EVENT));
    fc.assert(
      fc.property(body, (bytes) => check(request(bytes))),
      fuzzRuns(150),
    );
  });

  it('with any type, body and query is planned or refused', () => {
    const escaped = fc
      .array(
        fc.oneof(
          fc.constantFrom('&', ';', '=', '+', '%', '%00', '%ff', '%C3%A9', '%zz', '__proto__', 'a'),
          anyText(fc, { maxLength: 5 }),
        ),
        { maxLength: 40 },
      )
      .map((parts) => parts.join(''));
    const type = fc.oneof(
      fc.constantFrom(JSON_TYPE, FORM, 'Application/JSON; charset=x', ';', '', 'text/plain'),
      anyText(fc),
    );
    const body = fc.oneof(
      escaped.map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc.json({ maxDepth: 6, stringUnit: 'binary' }).map((json) => Buffer.from(json)),
    );
    fc.assert(
      fc.property(body, type, escaped, (bytes, contentType, query) => {
        check(request(bytes, contentType, query));
        expect(isDecodableQuery(query)).toBe('pairs' in parseQuery(query));
      }),
      fuzzRuns(300),
    );
  });

  it.each([
    ['30,000 levels of names', `${'{"a":'.repeat(3e4)}1${fill('}', 3e4)}`, JSON_TYPE],
    ['a number beyond all', '{"a":1e999,"b":2}', JSON_TYPE],
    ['a number of 400 digits', `{"a":${fill('9', 400)}}`, JSON_TYPE],
    ['NUL and lone surrogates', '{"\\u0000":"\\ud800","\\udfff":"\\u0000"}', JSON_TYPE],
    ['empty names', '{"":{"":[1]}}', JSON_TYPE],
    ['no UTF-8', '{"\xff\xfe":"\xc3"}', JSON_TYPE],
    ['1 MiB of &', fill('&'), FORM],
    ['1 MiB of ;=', fill(';='), FORM],
    ['1 MiB of +', fill('+'), FORM],
    ['1 MiB of =', fill('='), FORM],
    ['what curl -d sends', '{"a":1}', FORM],
  ])('is planned all the same: %s', (_, text, type) => {
    const delivery = request(Buffer.from(text, 'latin1'), type);
    expect(outcome(delivery)).toMatchObject({ own: 'mine' });
    check(delivery);
  });

  it.each([
    ['1 MiB of [', fill('[')],
    ['1 MiB of {"a":', fill('{"a":')],
    ['arrays in arrays', fill('[', 6e4) + fill(']', 6e4)],
    ['arrays in arrays to the end of the body', fill('[', 1e5) + fill(']', 1e5)],
    ['values without end', `[${fill('0,')}0]`],
    ['values under a long name', `{"${fill('n', 500_000)}":[${fill('0,', 400_000)}0]}`],
    ['names that become one, under a long name', colliding(MIB)],
  ])('is refused, with a sentence, when it would become too much: %s', (_, json) => {
    const delivery = request(json);
    expect(outcome(delivery)).toBeInstanceOf(MalformedExecutionError);
    check(delivery);
  });

  it('holds at most so many values, from a body and from a form', () => {
    const json = (count: number) => `[${fill('0,', 2 * (count - 1))}0]`;
    const form = (count: number) => fill('a=&', 3 * count);
    for (const [type, text] of [
      [JSON_TYPE, json],
      [FORM, form],
    ] as const) {
      expect(validatePlanned(request(text(MAX_VARIABLES), type))).toEqual({ kind: 'accept' });
      expect(validatePlanned(request(text(MAX_VARIABLES + 1), type))).toEqual({
        kind: 'refuse',
        reason: expect.stringContaining(`holds more than ${MAX_VARIABLES} values: send fewer`),
      });
    }
  });

  it('keeps names that mean something to JavaScript as names', () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'then', '0'];
    const json = `{${names.map((name) => `"${name}":"own"`).join()},"__proto__":{"polluted":"x"}}`;
    const plan = outcome(request(json));
    const form = outcome(request(names.map((name) => `${name}=own`).join('&'), FORM));
    for (const payload of [plan, form]) {
      expect((payload as Record<string, unknown>)['polluted']).toBeUndefined();
      expect(Object.getPrototypeOf(payload)).toBe(Object.prototype);
    }
    // Names of JSON are lowered; of a name that stands twice, the parser takes the last.
    expect(Object.keys(plan)).toEqual(
      expect.arrayContaining(['__proto__.polluted', 'constructor', 'tostring', 'then', '0']),
    );
    expect(Object.keys(form)).toEqual(expect.arrayContaining(names));
  });
});

describe('the time a plain webhook takes', () => {
  const mib = (text: (n: number) => string, type = JSON_TYPE) => [text, type] as const;
  it.each([
    ['nesting', ...mib((n) => fill('[', n / 2) + fill(']', n / 2))],
    ['nesting with a value', ...mib((n) => `${fill('[', n / 2)}1${fill(']', n / 2)}`)],
    ['nested names', ...mib((n) => `${'{"a":'.repeat(n / 6)}1${'}'.repeat(n / 6)}`)],
    ['values', ...mib((n) => `[${fill('0,', n)}0]`)],
    ['empty arrays', ...mib((n) => `[${fill('[],', n)}0]`)],
    ['names that become one', ...mib((n) => `{${fill('"A":1,', n)}"a":2}`)],
    ['names that become one, under a long name', ...mib(colliding)],
    ['empty objects under a long name', ...mib((n) => under(n, '{}'))],
    ['empty names under a long name', ...mib((n) => under(n, '{"":1}'))],
    ['odd letters', ...mib((n) => `{"${fill('É', n / 2)}":1}`)],
    ['pairs', ...mib((n) => fill('a=b&', n), FORM)],
    ['pairs without names', ...mib((n) => fill('=b&', n), FORM)],
    ['separators', ...mib((n) => fill('&;', n), FORM)],
    ['escapes', ...mib((n) => fill('%20', n), FORM)],
    ['escaped pairs', ...mib((n) => fill('%20=%20&', n), FORM)],
    ['equal signs', ...mib((n) => fill('=', n), FORM)],
    ['percent signs at the end', ...mib((n) => `${fill('%20', n)}%`, FORM)],
  ])('grows no faster than its body: %s', (_, text, type) => {
    const make = (n: number) => request(text(n), type);
    expect(growth(MIB / 8, make, planWebhook)).toBeLessThan(LINEAR);
  });
});

describe('flattenJson', () => {
  it('gives every name at most once, and nothing but texts, for any value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8, stringUnit: 'binary' }), (json) => {
        try {
          for (const [name, text] of flattenJson(json)) {
            expect(name).not.toBe('');
            expect(typeof text).toBe('string');
          }
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedExecutionError);
        }
      }),
      fuzzRuns(300),
    );
  });
});

describe('formatGoNumber', () => {
  it('writes what reads back the same, in at most 25 characters', () => {
    const number = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(Number.MAX_VALUE, Number.MIN_VALUE, -0, 2 ** 53 + 1, 1e21, 999999.9, 1e6),
      fc.integer(),
    );
    fc.assert(
      fc.property(number, (any) => {
        const text = formatGoNumber(any);
        expect(Object.is(Number(text), any)).toBe(true);
        expect(text).toMatch(/^-?\d+(\.\d+)?(e[+-]\d{2,3})?$/);
        expect(text.length).toBeLessThan(26);
      }),
      fuzzRuns(500),
    );
  });
});

describe('canonicalHeaders', () => {
  const name = fc.oneof(
    fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,30}$/),
    fc.constantFrom('__proto__', 'constructor', 'Authorization', 'COOKIE', 'x-event-key', '-'),
    anyText(fc),
  );
  // As Node hands bytes on.
  const value = fc.oneof(fc.string({ unit: 'binary-ascii' }), fc.constant('\xff\xfe\x00'));

  it('keeps every value of every header that may be kept, in order, whatever its name', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 30 }), (pairs) => {
        const headers = canonicalHeaders(pairs.flat());
        const secret = /^(authorization|proxy-authorization|cookie|host|x_auth_header)$/i;
        const kept = pairs.filter(([key]) => !secret.test(key));
        expect(Object.values(headers).flat()).toHaveLength(kept.length);
        for (const [key, text] of kept) {
          const found = Object.entries(headers).find(
            ([canonical]) => canonical.toLowerCase() === key.toLowerCase(),
          );
          expect(found?.[1]).toContain(text);
        }
        expect(Object.keys(headers).filter((key) => secret.test(key))).toEqual([]);
      }),
      fuzzRuns(300),
    );
  });

  it('stands thousands of headers, and one of a megabyte', () => {
    const many = (n: number) =>
      Array.from({ length: n }, (_, i) => [`X-${i % 2 ? i : 'same'}`, 'v']).flat();
    expect(growth(5_000, many, canonicalHeaders)).toBeLessThan(LINEAR);
    const long = (n: number) => [fill('x-', n), fill('v', n)];
    expect(growth(MIB / 16, long, canonicalHeaders)).toBeLessThan(LINEAR);
    expect(canonicalHeaders(many(4_000))['X-Same']).toHaveLength(2_000);
  });
});

describe('mediaType', () => {
  it('is lower case, without parameters, for any header', () => {
    fc.assert(
      fc.property(anyText(fc), (header) => {
        const type = mediaType(header);
        expect(type).toBe(type.toLowerCase().trim());
        expect(type).not.toContain(';');
      }),
      fuzzRuns(300),
    );
  });
});

/** Names that differ in case alone, under a name of a fifth of the body. */
function colliding(n: number): string {
  const long = Math.floor(n / 5);
  const twins = Array.from({ length: Math.floor((n - long) / 22) }, (_, index) => {
    const letters = Array.from({ length: 16 }, (_bit, at) => ((index >> at) & 1 ? 'A' : 'a'));
    return `"${letters.join('')}":1`;
  });
  return `{"${fill('p', long)}":{${twins.join()}}}`;
}

/** Many of the same under a long name. */
function under(n: number, what: string): string {
  const many = Array.from({ length: Math.floor(n / 30) }, (_, index) => `"k${index}":${what}`);
  return `{"${fill('p', n / 2)}":{${many.join()}}}`;
}
