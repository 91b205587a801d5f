import { AHEAD_MS, type CleanupQueue } from '../../queue/cleanup-queue';
import { type CleanupStore, endOfMoment, groupByMoment, type NearCleanup } from '@cds/hooks-store';

export interface EnqueueDueCleanupsDeps {
  store: Pick<CleanupStore, 'dueWithin'>;
  queue: Pick<CleanupQueue, 'enqueueAll'>;
}

export type EnqueueDueCleanups = ReturnType<typeof createEnqueueDueCleanups>;

const AT_ONCE = 2_000;

/**
 * Gives cleanups their jobs shortly before they are due, so that the many that wait for a day are one record each. Only
 * those are looked at that have come near since the last time; a job that exists is left as it is. Those that are due
 * together share a job.
 */
export function createEnqueueDueCleanups({ store, queue }: EnqueueDueCleanupsDeps) {
  /** All that are due until then have had their jobs. */
  let enqueuedUntil = -Infinity;

  return {
    /** @param now ms */
    async enqueue(now: number): Promise<void> {
      const until = endOfMoment(now + AHEAD_MS);
      const after = Math.min(enqueuedUntil, until);
      const near: NearCleanup[] = [];
      // All before any has its job: those that are done at once would move the others to places that were read.
      for (let offset = 0; ; offset += AT_ONCE) {
        const some = await store.dueWithin({ after, until, offset, limit: AT_ONCE });
        // What is overdue is due now, all of it together.
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

    /** Redis was away: it may have come back without jobs that it had. */
    beginAnew(): void {
      enqueuedUntil = -Infinity;
    },
  };
}
