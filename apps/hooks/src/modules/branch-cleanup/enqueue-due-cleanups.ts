import type { LostJobs } from '../../queue/requeue-lost-jobs';
import { AHEAD_MS, type CleanupQueue } from '../../queue/cleanup-queue';
import { type CleanupStore, endOfMoment, groupByMoment, type NearCleanup } from '@cds/hooks-store';

const AT_ONCE = 2_000;
const OVERDUE_AT_ONCE = 200;
/** Before a due cleanup counts as overdue. */
const GRACE_MS = 2_000;

/**
 * Creates the jobs of cleanups shortly before they are due, so that a pending cleanup is one
 * record. Each call reads only cleanups that came near since the last one. Existing jobs stay;
 * cleanups that are due together share a job. Jobs of overdue cleanups are requeued.
 */
export function createEnqueueDueCleanups(deps: {
  store: Pick<CleanupStore, 'bringForward' | 'dueWithin' | 'overdue'>;
  queue: Pick<CleanupQueue, 'enqueueAll' | 'enqueueNow'>;
}) {
  const { store, queue } = deps;
  /** Cleanups that are due until then have had their jobs (ms). */
  let enqueuedUntil = -Infinity;

  /** @param now ms */
  async function enqueue(now: number): Promise<void> {
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
  }

  return {
    enqueue,

    async requeue(now: number): Promise<number> {
      await enqueue(now);
      const ids = await store.overdue(now - GRACE_MS, OVERDUE_AT_ONCE);
      await Promise.all(ids.map((id) => queue.enqueueNow(id)));
      return ids.length;
    },

    bringForward: store.bringForward,

    beginAnew(): void {
      enqueuedUntil = -Infinity;
    },
  } satisfies LostJobs & { enqueue: unknown };
}
