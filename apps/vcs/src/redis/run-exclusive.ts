import { LockTimeoutError, vcsKeys, withLock } from '@cds/redis';
import type { Logger } from '@cds/service';
import { CdsError } from '@cds/wire';
import type { Redis } from 'ioredis';

/** Runs `work` while no other work of the same id runs, in this process or another. */
export type RunExclusive = <T>(
  id: string,
  signal: AbortSignal,
  work: () => Promise<T>,
) => Promise<T>;

/**
 * Runs work of one id in order within this process; a lock in Redis excludes other replicas, while
 * Redis answers.
 */
export function createRunExclusive(deps: {
  redis: Redis;
  logger: Logger;
  /** The longest work; the lock of a killed process is free a little later. */
  maxMs: number;
}): RunExclusive {
  const tails = new Map<string, Promise<unknown>>();

  async function locked<T>(id: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    let begun = false as boolean;
    const { maxMs } = deps;
    const options = { ttlMs: maxMs + 5_000, waitMs: maxMs + 10_000, pollMs: 25, signal };
    try {
      return await withLock(deps.redis, vcsKeys.lock(id), options, () => {
        begun = true;
        return work();
      });
    } catch (error) {
      if (begun) throw error;
      if (error instanceof LockTimeoutError || signal.aborted)
        throw new CdsError('unavailable', {
          from: 'another call about the same takes too long: repeat the call',
          cause: error,
        });
      deps.logger.warn({ err: error }, 'lock not taken in Redis: going on without it');
      return work();
    }
  }

  return (id, signal, work) => {
    const before = tails.get(id) ?? Promise.resolve();
    const mine = before.then(() => locked(id, signal, work));
    const tail = mine
      .catch(() => undefined)
      .finally(() => {
        if (tails.get(id) === tail) tails.delete(id);
      });
    tails.set(id, tail);
    return mine;
  };
}
