import { LockTimeoutError, redisNowUs, withLock } from '@cds/redis';
import type { Redis } from 'ioredis';
import { KEYS } from './redis-keys';

const TTL_MS = 30_000;
const POLL_MS = 250;
/** No replica waits longer for a result. */
const DONE_MS = 600_000;

export type OncePerCluster = ReturnType<typeof createOncePerCluster>;

/**
 * Does work once for all replicas that need it at the same time, as at their start.
 *
 * A result counts if its work began after the need, by the clock of Redis. The next waiting replica
 * repeats work that failed.
 * @returns a function of the work; its result is a number, of whichever replica did it
 */
export function createOncePerCluster(deps: {
  redis: Redis;
  /**
   * Held by the working replica; its name with `:done` has the last result. The key of the
   * synchronization with the API's hooks when not given.
   */
  key?: string;
  /**
   * After this time (ms) another replica does the work of a dead one. Two at once must do no harm.
   */
  ttlMs?: number | undefined;
  /** Between two checks whether another replica is done (ms). */
  pollMs?: number | undefined;
}) {
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
      // The others failed in turn for all this time.
      if (error instanceof LockTimeoutError) return workOrNot();
      throw error;
    }
  };
}
