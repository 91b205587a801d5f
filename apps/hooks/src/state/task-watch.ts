import { createLostDeliveries, type TaskStore } from '@cds/hooks-store';
import type { Logger } from '@cds/service';
import type { Redis } from 'ioredis';

/** Finds, with a few short commands, what FLUSHALL, DEL or eviction removed from Redis. */
export function createTaskWatch({
  redis,
  tasks,
  logger,
  vanished,
}: {
  redis: Redis;
  tasks: Pick<TaskStore, 'lookFor' | 'someUuids' | 'counted'>;
  logger: Logger;
  /** Called when tasks are missing, to synchronize. */
  vanished: () => Promise<void>;
}) {
  const lostDeliveries = createLostDeliveries({ redis });
  let cursor = '0';
  /** As of the last check. */
  let seen: { waiting: number; lost: number; since: string; cleanups: number } | undefined;
  /** As of the last check. What a synchronization does not bring back requests no other one. */
  let missedBefore = '';

  /** @returns what is missing, for the log, or "" */
  async function missing(): Promise<string> {
    const { there, known } = await tasks.counted();
    const uncounted = known > there ? [`${known - there} of ${known} tasks`] : [];
    // A few minutes cover some thousand tasks.
    const { next, uuids } = await tasks.someUuids(cursor);
    cursor = next;
    const { vanished } = await tasks.lookFor(uuids);
    return [...uncounted, ...vanished].join(', ');
  }

  /** @returns how many deliveries are pending at all hooks; undefined if unreadable */
  async function countPending(): Promise<number | undefined> {
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
    const held = first?.isToLook ? await countPending() : undefined;
    const counted = held === undefined ? first : await lostDeliveries.count(held);
    // Emptied since the state was claimed: the next look counts what was seen before.
    if (!counted) return;
    const { waiting, lost, since } = counted;
    // An operator may have acknowledged them meanwhile.
    const known = seen?.since === since ? seen.lost : 0;
    if (seen && lost > known)
      logger.error(
        { deliveries: lost - known, inAll: lost },
        'accepted deliveries vanished from Redis before they were processed: resend them at ' +
          'Bitbucket',
      );
    seen = { waiting, lost, since, cleanups: await lostDeliveries.scheduledCleanups() };
  }

  return {
    /**
     * Only for the state of this CDS.
     * @param isNew whether Redis was empty
     */
    async look(isNew: boolean): Promise<void> {
      if (isNew && seen) {
        logger.error(
          { deliveries: seen.waiting, cleanups: seen.cleanups },
          'Redis was emptied while this service ran: pending deliveries and cleanups are lost, ' +
            'tasks are synchronized',
        );
        await lostDeliveries.add(seen.waiting);
        seen = undefined;
      }
      await count();
      const missed = isNew ? '' : await missing();
      if (missed !== '' && missed !== missedBefore) {
        logger.warn(
          { missing: missed.slice(0, 1_000) },
          'tasks vanished from Redis: they are synchronized',
        );
        await vanished();
      }
      missedBefore = missed;
    },

    /** Accepted deliveries that vanished, as of the last check. */
    lost: (): number => seen?.lost ?? 0,
  };
}
