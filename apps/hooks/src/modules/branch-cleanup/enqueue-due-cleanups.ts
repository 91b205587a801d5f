import { AHEAD_MS, type CleanupQueue } from '../../queue/cleanup-queue';
import { type CleanupStore, endOfMoment, groupByMoment, type NearCleanup } from '@cds/hooks-store';

const AT_ONCE = 2_000;

/**
 * Creates the jobs of cleanups shortly before they are due, so that a pending cleanup is one
 * record. Each call reads only cleanups that came near since the last one. Existing jobs stay;
 * cleanups that are due together share a job.
 */
export function createEnqueueDueCleanups({
  store,
  queue,
}: {
  store: Pick<CleanupStore, 'dueWithin'>;
  queue: Pick<CleanupQueue, 'enqueueAll'>;
}) {
  /** Cleanups that are due until then have had their jobs (ms). */
  let enqueuedUntil = -Infinity;

  return {
    /** @param now ms */
    async enqueue(now: number): Promise<void> {
      const until = endOfMoment(now + AHEAD_MS);
      const after = Math.min(enqueuedUntil, until);
      const near: NearCleanup[] = [];
      // All are read before any job is added: a finished cleanup would shift the offsets.
      for (let offset = 0; ; offset += AT_ONCE) {
        const some = await store.dueWithin({ after, until, offset, limit: AT_ONCE });
        // All overdue ones are due now, together.
        near.push(...some.map((one) => ({ ...one, due: Math.max(one.due, now) })));
        if (some.length < AT_ONCE) break;
      }
      await queue.enqueueAll(
        groupByMoment(near).map((group) => ({
          ids: group.map(({ id }) => id),
          delayMs: Math.max(...group.map(({ due }) => due)) - now,
        })),
      );
      enqueuedUntil = until;
    },

    /** Redis was away and may have lost jobs. */
    beginAnew(): void {
      enqueuedUntil = -Infinity;
    },
  };
}
