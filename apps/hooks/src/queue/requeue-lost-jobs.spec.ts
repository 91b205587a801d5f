import { randomUUID } from 'node:crypto';
import { hookKeys, KEYS } from '@cds/hooks-store/keys';
import { silentLogger, startTestRedis, type TestRedis, waitFor } from '@cds/testing';
import { Redis } from 'ioredis';
import { createRequeueLostJobs } from './requeue-lost-jobs';

describe('the sweep of a hook with pending executions and no job', () => {
  let server: TestRedis;
  let redis: Redis;
  let requeued: string[] = [];

  beforeAll(async () => {
    server = await startTestRedis();
    redis = new Redis(server.port, server.host);
  });
  beforeEach(async () => {
    await server.flush();
    requeued = [];
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  /** @param dead the lock token of a process that died */
  function lostJobs(everyMs: number, dead = '') {
    return createRequeueLostJobs({
      redis,
      everyMs,
      hookQueue: {
        resumeOverslept: async () => 0,
        ensureAll: async (uuids: string[]) => requeued.push(...uuids),
      } as never,
      hookLock: { isDead: (lockToken) => lockToken === dead },
      others: [],
      logger: silentLogger(),
      retryDelayMs: 1_000,
    });
  }

  async function pendingHook(lockToken?: string): Promise<string> {
    const uuid = randomUUID();
    await redis.sadd(KEYS.pending, uuid);
    if (lockToken !== undefined) await redis.set(hookKeys(uuid).owner, lockToken);
    return uuid;
  }

  it('adds it where no process holds the hook, or one that died', async () => {
    const hooks = [await pendingHook(), await pendingHook('dead')];
    await pendingHook('lives');
    await lostJobs(60_000, 'dead').sweep();
    expect(requeued.toSorted()).toEqual(hooks.toSorted());
  });

  it('adds it where one lock token is seen for as long as a call of the API may take', async () => {
    const uuid = await pendingHook('lives');
    const { sweep } = lostJobs(5);
    await sweep();
    expect(requeued).toEqual([]);
    // Redis lost the end of the processing: its process knows of no such lock.
    const isRequeued = async () => {
      await sweep();
      return requeued.length > 0;
    };
    await waitFor(isRequeued, { what: 'the job' });
    expect(requeued).toEqual([uuid]);
  });

  it('adds none while one process after the other works on it', async () => {
    const uuid = await pendingHook();
    const { sweep } = lostJobs(0.001);
    for (let turn = 0; turn < 5; turn += 1) {
      await redis.set(hookKeys(uuid).owner, `lives/${turn}`);
      await sweep();
    }
    expect(requeued).toEqual([]);
  });
});
