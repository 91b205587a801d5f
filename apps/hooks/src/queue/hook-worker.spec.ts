import { BULL_PREFIX, HOOK_QUEUE, hookKeys } from '@cds/hooks-store/keys';
import { connectRedis, whenReady } from '@cds/redis';
import { silentLogger, startTestRedis, type TestRedis, waitFor } from '@cds/testing';
import type { Redis } from 'ioredis';
import { createApiOutage } from './api-outage';
import { createHookQueue, type HookQueue } from './hook-queue';
import { createHookWorker } from './hook-worker';
import { hookJobId } from '@cds/hooks-store';
import type { HookOutcome } from './process-hook';

const UUID = 'a-hook';
const logger = silentLogger();

describe('a hook of which all executions pause', () => {
  let server: TestRedis;
  let redis: Redis;
  let connection: Redis;
  let queue: HookQueue;
  let worker: ReturnType<typeof createHookWorker> | undefined;

  beforeAll(async () => {
    server = await startTestRedis();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    const { config } = server;
    redis = connectRedis({ redis: config, logger, name: 'test' }, 'client');
    connection = connectRedis({ redis: config, logger, name: 'test-worker' }, 'worker');
    await whenReady(redis, 10_000);
    queue = createHookQueue({ redis, logger });
  });
  afterEach(async () => {
    await worker?.close(5_000);
    await queue.close();
    connection.disconnect();
    redis.disconnect();
    await server.flush();
  });

  /**
   * The hook has one execution, which pauses for an hour. @returns how often the hook was looked at
   */
  function work(beforePause: () => Promise<void>, paused?: () => void): () => number {
    let looks = 0;
    worker = createHookWorker({
      connection,
      redis,
      queue,
      logger,
      ending: new AbortController().signal,
      lockMs: 500,
      apiOutage: createApiOutage({ redis, logger, queueOf: () => queue.queue }),
      async processHook(): Promise<HookOutcome> {
        looks += 1;
        if (looks > 1) return { kind: 'idle' };
        await beforePause();
        const until = Date.now() + 3_600_000;
        const pause = { kind: 'pause', until, forApi: false, outages: 0 } as const;
        return paused ? { ...pause, paused } : { ...pause, passed: new Map([['1', until]]) };
      },
    });
    return () => looks;
  }
  const isDelayed = async () => (await queue.queue.getJob(hookJobId(UUID)))?.isDelayed();

  it('is looked at again for one that came in before its job paused', async () => {
    await redis.rpush(hookKeys(UUID).waiting, '1');
    const looks = work(async () => {
      await redis.rpush(hookKeys(UUID).waiting, '2');
      // As for each that comes in: the job does not pause yet, so there is nothing to promote.
      await queue.promote(UUID);
    });
    await queue.ensureAll([UUID]);
    await waitFor(() => looks() === 2, { what: 'a second look at the hook' });
  });

  it('can be resumed from when it is told that its job pauses', async () => {
    await redis.rpush(hookKeys(UUID).waiting, '1');
    const looks = work(
      () => Promise.resolve(),
      () => void queue.resume(UUID),
    );
    await queue.ensureAll([UUID]);
    await waitFor(() => looks() === 2, { what: 'a second look at the hook' });
  });

  it('pauses with the job that was added while it was processed without one', async () => {
    await redis.rpush(hookKeys(UUID).waiting, '1');
    const isActive = async () => (await queue.queue.getJob(hookJobId(UUID)))?.isActive();
    const looks = work(async () => {
      await queue.ensureAll([UUID]);
      await waitFor(isActive, { what: 'the job to wait' });
    });
    expect(worker?.arrived(UUID, 1)).toBe(true);
    await waitFor(isDelayed, { what: 'the job to pause' });
    expect(looks()).toBe(1);
  });

  it('pauses where none came in', async () => {
    await redis.rpush(hookKeys(UUID).waiting, '1');
    const looks = work(() => Promise.resolve());
    await queue.ensureAll([UUID]);
    await waitFor(isDelayed, { what: 'the job to pause' });
    // Waits for the look at the list that comes after that.
    await worker?.close(5_000);
    expect([looks(), await isDelayed()]).toEqual([1, true]);
  });

  it('leaves a job that never ends to others, once its time is over', async () => {
    const looks = work(() => new Promise(() => undefined));
    await queue.ensureAll([UUID]);
    await waitFor(() => looks() === 1, { what: 'a look at the hook' });
    const lock = `${BULL_PREFIX}:${HOOK_QUEUE}:${hookJobId(UUID)}:lock`;
    expect(await redis.exists(lock)).toBe(1);

    await worker?.close(0);
    worker = undefined;

    await waitFor(async () => (await redis.exists(lock)) === 0, { what: 'the lock to end' });
  });
});
