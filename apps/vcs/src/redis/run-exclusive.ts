import { LockTimeoutError, vcsKeys, withLock } from '@cds/redis';
import type { Logger } from '@cds/service';
import { CdsError } from '@cds/wire';
import type { Redis } from 'ioredis';

export interface OneAtATimeDeps {
  redis: Redis;
  logger: Logger;
  /** The longest that any work takes; a lock whose holder died is free a little after that. */
  longestMs: number;
}

/** Runs `work` while no other work of the same id runs, in this process or another. */
export type OneAtATime = <T>(id: string, signal: AbortSignal, work: () => Promise<T>) => Promise<T>;

/**
 * In this process, work of one id queues up in the order in which it came; between replicas a lock in Redis orders it. With
 * Redis away the order within the process is what remains.
 */
export function createOneAtATime(deps: OneAtATimeDeps): OneAtATime {
  const tails = new Map<string, Promise<unknown>>();

  async function locked<T>(id: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    let begun = false;
    const options = {
      ttlMs: deps.longestMs + 5_000,
      waitMs: deps.longestMs + 10_000,
      pollMs: 25,
      signal,
    };
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
      deps.logger.warn({ err: error }, 'Redis gives no lock; going on without');
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
