import { LockTimeoutError, redisNowUs, withLock } from '@cds/redis';
import type { Redis } from 'ioredis';
import { KEYS } from './redis-keys';

export interface OncePerClusterDeps {
  redis: Redis;
  /**
   * Held by the replica that works; its name with `:done` holds what came of it last. That of the
   * synchronization with the hooks of the API where it is not given.
   */
  key?: string;
  /**
   * After so long the work of a holder that died is begun by another (ms). Two at once must do no
   * harm.
   */
  ttlMs?: number | undefined;
  /** Between two looks whether the other one is done (ms). */
  pollMs?: number | undefined;
}

const TTL_MS = 30_000;
const POLL_MS = 250;
/** Nobody needs to know longer what came of it: whoever waits for it waits less. */
const DONE_MS = 600_000;

/**
 * Work that each replica needs and one can do for all: at a start of several, or when Redis comes
 * back to all of them.
 *
 * What counts is begun after the need arose, by the clock of Redis. A work that fails is done again
 * by the next that waits.
 *
 * @returns a function of the work, whose result (a number) is that of whoever did it
 */
export function createOncePerCluster(deps: OncePerClusterDeps) {
  const { redis, key = KEYS.synchronizing, ttlMs = TTL_MS, pollMs = POLL_MS } = deps;
  const doneKey = `${key}:done`;

  async function doneSince(needed: number): Promise<number | undefined> {
    const [began, result] = ((await redis.get(doneKey)) ?? '').split('/').map(Number);
    return began !== undefined && result !== undefined && began >= needed ? result : undefined;
  }

  return async function oneForAll(
    work: () => Promise<number>,
    signal?: AbortSignal,
  ): Promise<number> {
    const needed = await redisNowUs(redis);
    const workOrNot = async (): Promise<number> => {
      const done = await doneSince(needed);
      if (done !== undefined) return done;
      const began = await redisNowUs(redis);
      const result = await work();
      await redis.set(doneKey, `${began}/${result}`, 'PX', DONE_MS);
      return result;
    };
    try {
      return await withLock(redis, key, { ttlMs, waitMs: 2 * ttlMs, pollMs, signal }, workOrNot);
    } catch (error) {
      // Others took it in turn for all this time, and each failed: now it is this one's.
      if (error instanceof LockTimeoutError) return workOrNot();
      throw error;
    }
  };
}

export type OncePerCluster = ReturnType<typeof createOncePerCluster>;
