import { createLostDeliveries, type TaskStore } from '@cds/hooks-store';
import type { Logger } from '@cds/service';
import type { Redis } from 'ioredis';

export interface TaskWatchDeps {
  redis: Redis;
  tasks: Pick<TaskStore, 'lookFor' | 'someUuids' | 'counted'>;
  logger: Logger;
  /** Tasks are missing that were there: the hooks of the API are to be read again. */
  vanished: () => Promise<void>;
}

export type TaskWatch = ReturnType<typeof createTaskWatch>;

/**
 * Looks, in a few short commands, whether something has vanished from a Redis that is there: by
 * FLUSHALL, by DEL, or because Redis was told to evict keys. What waits at a hook that is there is
 * queued again.
 */
export function createTaskWatch({ redis, tasks, logger, vanished }: TaskWatchDeps) {
  const lostDeliveries = createLostDeliveries({ redis });
  let cursor = '0';
  /** As of the last look; undefined before the first. */
  let seen: { waiting: number; lost: number; since: string; cleanups: number } | undefined;
  /**
   * Found missing by the last look. What a reading of the API's hooks does not bring back is not
   * read for again.
   */
  let missedBefore = '';

  /** @returns what is missing, in words for the log; empty when nothing is */
  async function missing(): Promise<string> {
    const { there, known } = await tasks.counted();
    const uncounted = known > there ? [`${known - there} of ${known} tasks`] : [];
    // All of some thousand in a few minutes.
    const { next, uuids } = await tasks.someUuids(cursor);
    cursor = next;
    const { vanished } = await tasks.lookFor(uuids);
    return [...uncounted, ...vanished].join(', ');
  }

  /**
   * @returns how many deliveries the lists of all hooks hold; undefined where that cannot be told
   */
  async function inLists(): Promise<number | undefined> {
    let waiting = 0;
    let next = '0';
    const known = new Set<string>();
    do {
      const found = await tasks.someUuids(next);
      next = found.next;
      const some = found.uuids.filter((uuid) => !known.has(uuid));
      for (const uuid of some) known.add(uuid);
      const looked = await tasks.lookFor(some);
      if (looked.unreadable > 0) return undefined;
      waiting += looked.waiting;
    } while (next !== '0');
    return waiting;
  }

  async function count(): Promise<void> {
    const first = await lostDeliveries.count();
    const held = first.isToLook ? await inLists() : undefined;
    const { waiting, lost, since } = held === undefined ? first : await lostDeliveries.count(held);
    // What was acknowledged meanwhile is not counted any more.
    const known = seen?.since === since ? seen.lost : 0;
    if (seen && lost > known)
      logger.error(
        { deliveries: lost - known, inAll: lost },
        'accepted deliveries vanished from Redis before they were worked off: send them again at Bitbucket',
      );
    seen = { waiting, lost, since, cleanups: await lostDeliveries.scheduledCleanups() };
  }

  return {
    /**
     * Never to be called while the state is not ours.
     * @param isNew whether there was no state at all
     */
    async look(isNew: boolean): Promise<void> {
      if (isNew && seen) {
        logger.error(
          { deliveries: seen.waiting, cleanups: seen.cleanups },
          'Redis was emptied while this service ran: what waited is lost, and the hooks of the API are read again',
        );
        await lostDeliveries.add(seen.waiting);
        seen = undefined;
      }
      await count();
      const missed = isNew ? '' : await missing();
      if (missed !== '' && missed !== missedBefore) {
        logger.warn(
          { missing: missed.slice(0, 1_000) },
          'tasks vanished from Redis: the hooks of the API are read again',
        );
        await vanished();
      }
      missedBefore = missed;
    },

    /** Accepted deliveries that vanished, as of the last look. */
    lost: (): number => seen?.lost ?? 0,
  };
}
