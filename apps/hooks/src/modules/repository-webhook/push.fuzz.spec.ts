import { anyText, fuzzRuns, growth, hostileBytes, hostileJson, LINEAR } from '@cds/testing';
import fc from 'fast-check';
import { expectCleanPrototypes, fill, MIB } from '../../../test/hostile';
import { cutJsonProperty } from './cut-json-property';
import { validateRepositoryDelivery } from './validate-delivery';
import { MalformedExecutionError } from '../../payloads/malformed-execution';
import { planPush } from './plan-push';
import { MAX_CHANGES } from './push-delivery';
import {
  ada,
  annotatedTag,
  branch,
  created,
  deleted,
  HASH_B,
  lightTag,
  push,
  repository,
  updated,
} from './push.fixture';
import type { DeliveryPlan } from '@cds/hooks-store';
import { runsOf } from '../../../test/planned-runs';

afterEach(expectCleanPrototypes);

const PUSH = {
  push: {
    changes: [
      created(branch('feature/x')),
      updated(branch('main'), branch('main', HASH_B)),
      deleted(branch('old')),
      created(lightTag('v1')),
      created(annotatedTag('v2')),
      deleted(lightTag('v0')),
    ],
  },
  repository,
  actor: ada,
};

/** What the run of a push may be told; nothing else, whatever the delivery holds. */
const PAYLOAD_KEYS = new Set([
  ...['git.hash', 'git.hash.before', 'git.hash.short', 'git.message', 'git.author'],
  ...['git.branch', 'git.tag', 'git.repository', 'payload'],
  ...['cds.triggered_by.username', 'cds.triggered_by.fullname'],
]);

const planOf = (body: Buffer): DeliveryPlan | MalformedExecutionError => {
  try {
    return planPush(body);
  } catch (error) {
    if (error instanceof MalformedExecutionError) return error;
    throw error;
  }
};

/** What must hold of any body. */
function check(body: Buffer): void {
  const plan = planOf(body);
  if (plan instanceof MalformedExecutionError) {
    expect(plan.message.length).toBeLessThan(300);
    expect(validateRepositoryDelivery({ headers: { 'x-event-key': 'repo:push' }, body })).toEqual({
      kind: 'refuse',
      reason: plan.message,
    });
    return;
  }
  expect(
    validateRepositoryDelivery({ headers: { 'x-event-key': 'repo:push' }, body }),
  ).toMatchObject({
    kind: 'accept',
    changes: expect.any(Array),
  });
  expect(planOf(Buffer.from(body))).toEqual(plan);
  expect(plan.steps.length).toBeLessThanOrEqual(MAX_CHANGES);
  for (const { payload } of runsOf(plan)) {
    for (const [key, value] of Object.entries(payload)) {
      expect(PAYLOAD_KEYS).toContain(key);
      expect(typeof value).toBe('string');
    }
    // A byte that is no UTF-8 becomes a character of three.
    expect(payload['payload']?.length).toBeLessThanOrEqual(body.length);
    expect(payload['git.hash']).not.toBe('');
    expect(payload['git.repository']).not.toBe('');
  }
  for (const step of plan.steps) {
    if (step.type === 'delete-branch') expect(step.branch).not.toBe('');
  }
}

describe('a body for repo:push', () => {
  it('that is nearly one is planned or refused, the same every time', () => {
    fc.assert(fc.property(hostileBytes(fc, hostileJson(fc, PUSH)), check), fuzzRuns(150));
  });

  it('of any bytes, JSON or not, is planned or refused', () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc.json({ maxDepth: 5, stringUnit: 'binary' }).map((json) => Buffer.from(json)),
    );
    fc.assert(fc.property(anything, check), fuzzRuns(150));
  });

  it.each([
    ['1 MiB of [', fill('[')],
    ['1 MiB of {"a":', fill('{"a":')],
    ['1 MiB of {"push":', fill('{"push":')],
    ['nesting of 100,000 levels', `{"push":${fill('[', 1e5)}${fill(']', 1e5)}}`],
    ['changes nested 100,000 levels deep', nested('{"push":{"changes":', '[', ']', '}}')],
    ['a ref nested 100,000 levels deep', nested('{"push":{"changes":[{"new":', '{"new":', '}')],
    ['changes that are numbers', `{"push":{"changes":[${fill('0,')}0]}}`],
    ['changes that are empty', `{"push":{"changes":[${fill('{},')}{}]}}`],
    ['the same key over and over', `{${fill('"push":0,')}"push":1}`],
    ['a number of 400 digits as name', `{"push":{"changes":[{"new":{"name":${fill('9', 400)}}}]}}`],
    ['a number beyond all as changes', '{"push":{"changes":1e999}}'],
    ['changes with a length', '{"push":{"changes":{"length":1e9,"0":{}}}}'],
    ['changes by inheritance', '{"__proto__":{"push":{"changes":[]}}}'],
    ['a constructor', '{"constructor":{"prototype":{"push":{"changes":[]}}}}'],
  ])('is refused: %s', (_, text) => {
    const body = Buffer.from(text);
    expect(planOf(body)).toBeInstanceOf(MalformedExecutionError);
    check(body);
  });

  it.each([
    ['1e999', '1e999'],
    ['400 digits', fill('9', 400)],
    ['25,000 levels', fill('[', 25_000) + fill(']', 25_000)],
    ['12,000 objects', `${'{"a":'.repeat(12_000)}1${fill('}', 12_000)}`],
    ['NUL and a lone surrogate', '"\\u0000\\ud800"'],
    ['inherited names', '{"__proto__":1,"constructor":2,"toString":3}'],
  ])('hands on what it does not read as it came: %s', (_, odd) => {
    const pushText = `{"changes":[${JSON.stringify(created(branch('x')))}],"odd":${odd}}`;
    const body = Buffer.from(
      `{"odd":${odd},"push":${pushText},"repository":${JSON.stringify(repository)}}`,
    );
    check(body);
    expect(runsOf(planPush(body)).map(({ payload }) => payload['payload'])).toEqual([pushText]);
  });

  it('of 256 KB with hundreds of changes is planned whole, in the order of its changes', () => {
    const names = Array.from({ length: 240 }, (_, index) => `branch/${index}`);
    const body = push(names.map((name) => created(slim(name))));
    expect(body.length).toBeGreaterThan(100 * 1024);
    expect(body.length).toBeLessThan(256 * 1024);
    const { steps } = planPush(body);
    expect(steps.map((step) => step.branch)).toEqual(names);
    // All of them hold the same text: it is in memory once.
    check(body);
  });

  it(`asks for ${MAX_CHANGES} runs at most, however small its changes are`, () => {
    const changes = (count: number) =>
      push(
        Array.from({ length: count }, () => ({
          new: { type: 'tag', name: 't', target: { hash: 'h' } },
        })),
      );
    expect(runsOf(planPush(changes(MAX_CHANGES)))).toHaveLength(MAX_CHANGES);
    expect(() => planPush(changes(MAX_CHANGES + 1))).toThrow('push fewer branches at a time');
  });
});

describe('the time a push takes', () => {
  it.each([
    ['nesting', (n: number) => `{"push":{"changes":[],"x":${fill('[', n)}${fill(']', n)}}}`],
    ['unfinished nesting', (n: number) => fill('{"a":', n)],
    ['many keys', (n: number) => `{${keys(n / 20)},"push":{"changes":[]}}`],
    ['one key again and again', (n: number) => `{${fill('"push":[],', n)}"push":{"changes":[]}}`],
    ['many strings', (n: number) => `{"push":{"changes":[],"x":[${fill('"\\"",', n)}0]}}`],
    ['one long string', (n: number) => `{"push":{"changes":[],"x":"${fill('\\\\', n)}"}}`],
    ['spaces', (n: number) => `{${fill(' ', n)}"push":${fill(' ', n)}{"changes":[]}}`],
    ['empty changes', (n: number) => `{"push":{"changes":[${fill('{},', n)}{}]}}`],
    ['wrong changes', (n: number) => `{"push":{"changes":[${fill('0,', n)}0]}}`],
    ['long names of keys', (n: number) => `{"${fill('k', n)}":1,"push":{"changes":[]}}`],
  ])('grows no faster than its body: %s', (_, text) => {
    const make = (n: number) => Buffer.from(text(n));
    expect(growth(MIB / 8, make, planPush)).toBeLessThan(LINEAR);
  });

  it('grows no faster than its changes', () => {
    const make = (n: number) =>
      push(Array.from({ length: n }, (_, index) => created(slim(`b${index}`))));
    expect(growth(MAX_CHANGES / 4, make, planPush)).toBeLessThan(LINEAR);
  });
});

describe('cutJsonProperty', () => {
  it('ends and finds nothing wrong in any text, JSON or not', () => {
    const text = fc.oneof(
      anyText(fc, { maxLength: 100 }),
      fc.array(fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '\\', ' ', 'push', '1'), {
        maxLength: 60,
      }),
    );
    fc.assert(
      fc.property(text, (parts) => {
        const json = typeof parts === 'string' ? parts : parts.join('');
        let cut: string | undefined;
        try {
          cut = cutJsonProperty(json, 'push');
        } catch (error) {
          // Of a key that is no JSON.
          expect(error).toBeInstanceOf(SyntaxError);
          expect(isJson(json)).toBe(false);
        }
        if (cut !== undefined) expect(json).toContain(cut);
      }),
      fuzzRuns(1_000),
    );
  });
});

describe('validateRepositoryDelivery', () => {
  it('answers any headers with a validation of bounded size', () => {
    const header = fc.oneof(
      anyText(fc),
      fc.constantFrom('repo:push', 'repo:fork', 'pr:opened', '__proto__', fill('x', 100_000)),
      fc.constant(undefined),
    );
    const names = ['x-event-key', 'x-gitea-event', 'x-github-event', 'content-type', '__proto__'];
    const headers = fc.array(fc.tuple(fc.constantFrom(...names), header), { maxLength: 4 });
    fc.assert(
      fc.property(headers, fc.json(), (entries, json) => {
        const validation = validateRepositoryDelivery({
          headers: Object.fromEntries(entries),
          body: Buffer.from(json),
        });
        expect(JSON.stringify(validation).length).toBeLessThan(1_500);
      }),
      fuzzRuns(500),
    );
  });

  it.each(['repo:', 'pr', 'pr:', 'repo:comment:', ' ', 'project:modified'])(
    'takes no longer for long event keys than their length: %j again and again',
    (piece) => {
      const make = (n: number) => ({ 'x-event-key': fill(piece, n) });
      const run = (headers: Record<string, string>) =>
        validateRepositoryDelivery({ headers, body: Buffer.alloc(0) });
      expect(growth(MIB / 8, make, run)).toBeLessThan(LINEAR);
    },
  );
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function nested(before: string, open: string, close: string, after = ''): string {
  return `${before}${open.repeat(1e5)}1${close.repeat(1e5)}${after || '}]}}'}`;
}

function keys(count: number): string {
  return Array.from({ length: count }, (_, index) => `"key-${index}":{}`).join();
}

/** The least that a branch consists of. */
function slim(name: string) {
  const { type, target } = branch(name);
  return { type, name, target: { ...target, author: undefined, summary: undefined } };
}
