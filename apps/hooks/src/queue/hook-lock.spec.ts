import { randomUUID } from 'node:crypto';
import { createHookLock, type HookLock } from '@cds/hooks-store';
import { hookKeys, KEYS } from '@cds/hooks-store/keys';
import { connectRedis } from '@cds/redis';
import { silentLogger, startTestRedis, takesTime, type TestRedis, waitFor } from '@cds/testing';
import type { Redis } from 'ioredis';

const BEAT_MS = 100;

describe('ownership of hooks', () => {
  let server: TestRedis;
  let connections: Redis[] = [];
  let started: HookLock[] = [];

  beforeAll(async () => {
    server = await startTestRedis();
  });
  afterEach(() => {
    for (const hookLock of started) hookLock.stop();
    for (const connection of connections) connection.disconnect();
    [started, connections] = [[], []];
  });
  afterAll(() => server.stop());

  async function worker(): Promise<HookLock> {
    const logger = silentLogger();
    const redis = connectRedis({ redis: server.config, logger, name: 'test' }, 'client');
    connections.push(redis);
    await waitFor(() => redis.status === 'ready');
    const hookLock = createHookLock({ redis, logger, lockHeartbeatMs: BEAT_MS });
    started.push(hookLock);
    await hookLock.start();
    return hookLock;
  }

  /** Waits until all workers together have told so often more that they live. */
  async function beaten(count: number, meanwhile = async (): Promise<unknown> => 0): Promise<void> {
    const [redis] = connections;
    const beats = async () => {
      const counts = (await redis?.hvals(KEYS.beats)) ?? [];
      return counts.reduce((sum, text) => sum + Number(text), 0);
    };
    const before = await waitFor(beats, { what: 'a beat' });
    await waitFor(
      async () => {
        await meanwhile();
        return (await beats()) >= before + count;
      },
      { what: `${count} beats` },
    );
  }

  it('gives a hook to one at a time, within one worker and over several', async () => {
    const [a, b, uuid] = [await worker(), await worker(), randomUUID()];

    const lock = await a.acquire(uuid);

    expect(lock).toBeDefined();
    expect(await a.acquire(uuid)).toBeUndefined();
    expect(await b.acquire(uuid)).toBeUndefined();
    expect(await b.acquire(randomUUID())).toBeDefined();
    if (lock) await a.release(lock);
    expect(await b.acquire(uuid)).toBeDefined();
  });

  it('gives a hook with what a script took of it, to one at a time', async () => {
    const [a, b, uuid] = [await worker(), await worker(), randomUUID()];
    const [redis] = connections;
    const { owner } = hookKeys(uuid);
    const tokens: string[] = [];
    // As TAKE_PENDING: takes a free lock, and nothing of a hook that another holds.
    const take = async (token: string) => {
      tokens.push(token);
      await redis?.set(owner, token, 'NX');
      return { kind: (await redis?.get(owner)) === token ? 'work' : 'lost' };
    };

    const first = await a.acquireAndTake(uuid, take);
    expect(first).toEqual({ lock: { uuid, lockToken: tokens[0] }, taken: { kind: 'work' } });
    for (const other of [a, b]) expect(await other.acquireAndTake(uuid, take)).toBeUndefined();
    if (first) await a.release(first.lock);
    expect((await b.acquireAndTake(uuid, take))?.taken.kind).toBe('work');

    // A leftover of this process: what was released by a script, or never answered.
    const left = await b.acquireAndTake(uuid, take);
    expect(left).toBeUndefined();
    b.released({ uuid, lockToken: (await redis?.get(owner)) ?? '' });
    expect((await b.acquireAndTake(uuid, take))?.taken.kind).toBe('work');
  });

  it('releases again what a script took without an answer', async () => {
    const [a, uuid] = [await worker(), randomUUID()];
    const [redis] = connections;
    const { owner } = hookKeys(uuid);
    const unanswered = a.acquireAndTake(uuid, async (token) => {
      await redis?.set(owner, token);
      throw new Error('no answer');
    });
    await expect(unanswered).rejects.toThrow('no answer');
    await waitFor(async () => (await redis?.exists(owner)) === 0, { what: 'its release' });
  });

  it('lets a worker that lives keep its hook for any time', async () => {
    const [a, b, uuid] = [await worker(), await worker(), randomUUID()];
    await a.acquire(uuid);

    await beaten(2 * 12);

    expect(await b.acquire(uuid)).toBeUndefined();
  });

  it('takes over from a worker that died, and not at once', async () => {
    const [a, b, uuid] = [await worker(), await worker(), randomUUID()];
    await a.acquire(uuid);
    a.stop();
    const began = performance.now();

    await waitFor(() => b.acquire(uuid));

    expect(performance.now() - began).toBeGreaterThan(5 * BEAT_MS);
  });

  it('takes over from a worker that it has never seen', async () => {
    const [a, uuid] = [await worker(), randomUUID()];
    await a.acquire(uuid);
    a.stop();
    const b = await worker();

    await waitFor(() => b.acquire(uuid));
  });

  it('gives back a claim that was made without being answered', async () => {
    const [a, b, uuid] = [await worker(), await worker(), randomUUID()];
    server.freeze();
    const acquiring = a.acquire(uuid);
    await expect(acquiring).rejects.toThrow();
    server.thaw();

    await waitFor(() => b.acquire(uuid));
  });

  it('takes nobody for dead because Redis was frozen', async () => {
    const [a, b, uuid] = [await worker(), await worker(), randomUUID()];
    await a.acquire(uuid);

    server.freeze();
    await takesTime(15 * BEAT_MS);
    server.thaw();

    const locks: unknown[] = [];
    await beaten(2 * 8, async () => locks.push(await b.acquire(uuid).catch(() => undefined)));
    expect(locks.filter(Boolean)).toEqual([]);
  });
});
