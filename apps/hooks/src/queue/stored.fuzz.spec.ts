import {
  idOfTimestamp,
  NEW_STATE,
  parseState,
  timestampOfId,
  timestampOfMs,
  toTaskExecution,
  cleanupExecution,
  cleanupId,
  cleanupTask,
  parseCleanup,
} from '@cds/hooks-store';
import { anyText, fuzzRuns, hostileJson } from '@cds/testing';
import fc from 'fast-check';
import { expectCleanPrototypes } from '../../test/hostile';

afterEach(expectCleanPrototypes);

const STATE = {
  ...NEW_STATE,
  nb_errors: 2,
  last_error: 'no',
  steps_done: 1,
  failed_steps: [0, 3],
  retry_steps: [1],
  queued_at: 3,
};

describe('the state of an execution, as it stands in Redis', () => {
  it('is read back as it was written', () => {
    const count = fc.maxSafeNat();
    const steps = fc.array(fc.nat(1_000), { maxLength: 5 });
    const state = fc.record(
      {
        ...{
          nb_errors: count,
          steps_done: count,
          refusals: count,
          outages: count,
          retries: count,
          queued_at: count,
        },
        ...{ retry_at: count, workflow_run: count, processing_timestamp: count },
        ...{ failed_steps: steps, retry_steps: steps },
        last_error: anyText(fc),
        failed: fc.boolean(),
        status: fc.constantFrom('' as const, 'DONE' as const),
      },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(state, (written) => {
        expect(parseState(JSON.stringify(written))).toEqual({ ...NEW_STATE, ...written });
      }),
      fuzzRuns(200),
    );
  });

  it('is one that can be worked with, whatever stands there', () => {
    const text = fc.oneof(
      hostileJson(fc, STATE, 5),
      fc.json(),
      anyText(fc),
      fc.constantFrom(null, undefined, '', 'NaN', '[1]', '{"steps_done":1e999}'),
    );
    fc.assert(
      fc.property(text, (json) => {
        const state = parseState(json);
        for (const [name, before] of Object.entries(NEW_STATE)) {
          const value: unknown = state[name as keyof typeof NEW_STATE];
          expect(typeof value).toBe(typeof before);
          if (typeof value === 'number') expect(value).toBeGreaterThanOrEqual(0);
        }
        expect(Object.keys(state).filter((name) => !(name in STATE))).toEqual([]);
        expect(state.failed_steps.every((step) => Number.isSafeInteger(step))).toBe(true);
        const kept = JSON.stringify(state);
        expect(JSON.stringify(parseState(kept))).toBe(kept);
      }),
      fuzzRuns(300),
    );
  });

  it.each([
    'no JSON',
    '{"steps_done":"9"}',
    '{"steps_done":-1}',
    '{"steps_done":1.5}',
    '{"steps_done":1e999}',
  ])('that cannot be read leaves out no step: %s', (json) =>
    expect(parseState(json)).toEqual(NEW_STATE),
  );
});

describe('a cleanup, as it stands in Redis', () => {
  const text = fc.oneof(
    anyText(fc),
    fc.constantFrom('', '0', '-1', '1e999', 'NaN', '1761955200000', '9'.repeat(400), '0x10', ' 7 '),
  );
  const names = [
    ...['due', 'status', 'accepted', 'hook', 'project', 'workflow', 'repository', 'branch'],
    ...['nb_errors', 'last_error', 'retry_at', 'outages', 'processed', '__proto__'],
  ];
  const hash = fc
    .array(fc.tuple(fc.constantFrom(...names), text), { maxLength: 14 })
    .map((fields) => Object.fromEntries(fields));

  it('can be shown, whatever stands there, and is not done before it is due', () => {
    fc.assert(
      fc.property(hash, (fields) => {
        const cleanup = parseCleanup('id', fields);
        expect(cleanup === undefined).toBe(!fields['due']);
        if (!cleanup) return;
        const shown = JSON.stringify(cleanupTask(cleanup));
        expect(JSON.parse(shown)).toMatchObject({ type: 'BranchDeletion' });
        expect(cleanupExecution(cleanup).timestamp).toEqual(expect.any(Number));
        for (const number of [cleanup.due, cleanup.retry_at, cleanup.nb_errors, cleanup.outages])
          expect(Number.isFinite(number)).toBe(true);
        if (cleanup.status === 'waiting') expect(cleanup.due).toBe(Number(fields['due']));
      }),
      fuzzRuns(500),
    );
  });

  it.each(['soon', '1e999', '-5', '9e15'])('due %s is for people to look at', (due) => {
    const cleanup = parseCleanup('id', { due, branch: 'b' });
    expect(cleanup).toMatchObject({ status: 'failed', branch: 'b' });
    expect(cleanup?.last_error).toMatch(/remove the runs by hand/);
  });

  it('has an id of its own for any three names', () => {
    const name = anyText(fc, { maxLength: 8 });
    const three = fc.record({ project: name, workflow: name, branch: name });
    fc.assert(
      fc.property(three, three, (one, other) => {
        const same = JSON.stringify(Object.values(one)) === JSON.stringify(Object.values(other));
        expect(cleanupId(one) === cleanupId(other)).toBe(same);
        expect(cleanupId(one)).toMatch(/^[0-9a-f]{64}$/);
      }),
      fuzzRuns(200),
    );
  });
});

describe('timestamps and ids', () => {
  it('become each other, exactly, for as long as JavaScript prints them whole', () => {
    const id = fc.integer({ min: 1, max: 9_000_000_000_000_000 });
    fc.assert(
      fc.property(id, (micros) => {
        expect(idOfTimestamp(`${micros}000`)).toBe(String(micros));
      }),
      fuzzRuns(300),
    );
    const today = fc.integer({ min: 1_600_000_000_000_000, max: 4_000_000_000_000_000 });
    fc.assert(
      fc.property(today, (micros) => {
        expect(idOfTimestamp(String(timestampOfId(String(micros))))).toBe(String(micros));
        expect(Number.isFinite(timestampOfMs(Math.floor(micros / 1000)))).toBe(true);
      }),
      fuzzRuns(300),
    );
  });

  it('are nothing else', () => {
    const text = fc.oneof(
      anyText(fc),
      fc.stringMatching(/^[0-9+eE.\- ]{0,30}$/),
      fc.constantFrom('000', '0000', '1e21', `${'9'.repeat(400)}000`, '1000\n', '-1000'),
    );
    fc.assert(
      fc.property(text, (timestamp) => {
        const id = idOfTimestamp(timestamp);
        expect(id === undefined || /^[1-9]\d{0,15}$/.test(id)).toBe(true);
        if (id !== undefined) expect(timestamp).toBe(`${id}000`);
      }),
      fuzzRuns(500),
    );
  });
});

describe('an execution that is shown', () => {
  it('shows what stands in Redis as text, whatever it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), anyText(fc), (config, body) => {
        const webhook = {
          ...{ request_url: body, request_body: body, request_header: {}, request_method: '' },
        };
        const stored = { timestamp: 1, type: 'Webhook' as const, config: config as null, webhook };
        const shown = toTaskExecution('u', { ...stored, accepted_at: 1 }, parseState(body));
        expect(() => JSON.stringify(shown)).not.toThrow();
      }),
      fuzzRuns(100),
    );
  });
});
