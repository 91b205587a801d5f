import { setImmediate } from 'node:timers/promises';
import { silentLogger } from '@cds/testing';
import { createProcessAtOnce } from './process-at-once';
import type { HookOutcome } from './process-hook';

const EMPTY: HookOutcome = { kind: 'idle', isEmpty: true };

describe('a hook that is processed without a job', () => {
  /** Ends the processing of the oldest hook that is in progress. */
  let inProgress: { uuid: string; end: (outcome: HookOutcome | Error) => void }[] = [];
  let enqueued: string[] = [];
  let left: [string, HookOutcome['kind']][] = [];
  let ending = new AbortController();

  beforeEach(() => {
    [inProgress, enqueued, left] = [[], [], []];
    ending = new AbortController();
  });

  function start() {
    return createProcessAtOnce({
      logger: silentLogger(),
      ending: ending.signal,
      processHook: (uuid) =>
        new Promise((resolve, reject) => {
          const end = (outcome: HookOutcome | Error) =>
            outcome instanceof Error ? reject(outcome) : resolve(outcome);
          inProgress.push({ uuid, end });
        }),
      leave: async (uuid, { kind }) => void left.push([uuid, kind]),
      enqueue: (uuid) => void enqueued.push(uuid),
    });
  }

  async function end(outcome: HookOutcome | Error): Promise<void> {
    inProgress.shift()?.end(outcome);
    await setImmediate();
  }

  it('was idle, and needs a job for nothing', async () => {
    const { arrived, ended } = start();
    expect(arrived('a', 1)).toBe(true);
    expect(arrived('a', 2)).toBe(true);
    let isOver = false;
    void ended('a').then(() => (isOver = true));
    await setImmediate();
    expect(isOver).toBe(false);
    await end(EMPTY);
    expect([inProgress, enqueued, left, isOver]).toEqual([[], [], [], true]);
    // Behind others that this process does not work on.
    expect(arrived('a', 2)).toBe(false);
  });

  it('is processed again for what came when nothing was left, and before it ended', async () => {
    const { arrived } = start();
    arrived('a', 1);
    expect(arrived('a', 1)).toBe(true);
    expect(inProgress).toHaveLength(1);
    await end(EMPTY);
    expect(inProgress).toHaveLength(1);
    await end(EMPTY);
    expect([inProgress, enqueued, left]).toEqual([[], [], []]);
  });

  it.each<HookOutcome>([
    { kind: 'idle' },
    { kind: 'busy' },
    { kind: 'more' },
    { kind: 'pause', until: 1, forApi: true, outages: 1 },
  ])('gets a job for what is left: $kind', async (outcome) => {
    const { arrived } = start();
    arrived('a', 1);
    await end(outcome);
    expect(left).toEqual([['a', outcome.kind]]);
    expect(inProgress).toEqual([]);
  });

  it.each<HookOutcome>([{ kind: 'more' }, { kind: 'pause', until: 1, forApi: true, outages: 1 }])(
    'is not processed again after that, before its job: $kind',
    async (outcome) => {
      const { arrived, ended } = start();
      arrived('a', 1);
      arrived('a', 1);
      const over = ended('a');
      await end(outcome);
      expect([inProgress, enqueued, await over]).toEqual([[], ['a'], outcome]);
    },
  );

  it('gets a job where Redis does not answer', async () => {
    const { arrived } = start();
    arrived('a', 1);
    await end(new Error('away'));
    expect(enqueued).toEqual(['a']);
    expect(arrived('a', 1)).toBe(true);
  });

  it('is one of 200 at once', async () => {
    const { arrived } = start();
    const uuids = Array.from({ length: 201 }, (_, n) => `hook-${n}`);
    expect(uuids.filter((uuid) => !arrived(uuid, 1))).toEqual(['hook-200']);
    await end(EMPTY);
    expect(arrived('hook-200', 1)).toBe(true);
  });

  it('is waited for at a stop, begins no more, and leaves a job for what came last', async () => {
    const { arrived, stop } = start();
    arrived('a', 1);
    arrived('a', 1);
    ending.abort();
    expect(arrived('b', 1)).toBe(false);
    const stopped = stop(60_000);
    await end(EMPTY);
    await stopped;
    expect([inProgress, enqueued]).toEqual([[], ['a']]);
  });
});
