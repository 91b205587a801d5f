import type { CleanupStore } from '@cds/hooks-store';
import type { LostJobs } from '../../queue/requeue-lost-jobs';
import type { CleanupQueue } from '../../queue/cleanup-queue';
import { createEnqueueDueCleanups } from './enqueue-due-cleanups';

const CLEANUPS_AT_ONCE = 200;
/** Before a due cleanup counts as overdue. */
const GRACE_MS = 2_000;

/** Creates the jobs of cleanups that are due soon, and requeues those of overdue ones. */
export function createRequeueCleanups(deps: {
  store: Pick<CleanupStore, 'bringForward' | 'dueWithin' | 'overdue'>;
  queue: Pick<CleanupQueue, 'enqueueAll' | 'enqueueNow'>;
}): LostJobs {
  const { store, queue } = deps;
  const enqueueDue = createEnqueueDueCleanups(deps);
  return {
    async requeue(now) {
      await enqueueDue.enqueue(now);
      const ids = await store.overdue(now - GRACE_MS, CLEANUPS_AT_ONCE);
      await Promise.all(ids.map((id) => queue.enqueueNow(id)));
      return ids.length;
    },
    bringForward: (until) => store.bringForward(until),
    beginAnew: enqueueDue.beginAnew,
  };
}
