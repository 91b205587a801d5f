import type { Logger } from '@cds/service';
import {
  type Clock,
  cleanupId,
  olderCleanupId,
  type HookLock,
  type CleanupStore,
} from '@cds/hooks-store';
import type { BranchCleanups, BranchOfDelivery } from '../../queue/process-delivery';
import type { CleanupQueue } from '../../queue/cleanup-queue';

export interface BranchCleanupsDeps {
  store: CleanupStore;
  queue: CleanupQueue;
  hookLock: Pick<HookLock, 'acquire' | 'release'>;
  logger: Logger;
  now: Clock;
  /** From the deletion to the cleanup (ms). */
  delayMs: number;
  /** Told of each cleanup that a push cancelled. */
  cancelled?: () => void;
  /** Told of each cleanup that was scheduled. */
  scheduled?: () => void;
}

/** What deliveries do to cleanups. Only the holder of the hook may: an order from before would undo a later one. */
export function createBranchCleanups(deps: BranchCleanupsDeps): BranchCleanups {
  const { store, queue, hookLock, logger, now, delayMs } = deps;

  function keyOf({ pending, repository, branch }: BranchOfDelivery) {
    const project = pending.config?.project?.value ?? '';
    const workflow = pending.config?.workflow?.value ?? '';
    return { project, workflow, repository, branch };
  }

  /** What names the delivery in the log. */
  function nameOf({ lock, pending }: BranchOfDelivery) {
    const { request_id, timestamp } = pending.execution;
    return { requestId: request_id, hook: lock.uuid, execution: timestamp };
  }

  /** Whether whoever marked a cleanup as under way died: then the hook can be taken, which ends the mark. */
  async function isLeftover(hook: string): Promise<boolean> {
    const lock = await hookLock.acquire(hook);
    if (lock) await hookLock.release(lock);
    return lock !== undefined;
  }

  return {
    /**
     * Schedules the cleanup of a deleted branch, counted from when the deletion was accepted; safe to repeat.
     * @returns false when the hook is another's by now
     */
    async schedule(of: BranchOfDelivery): Promise<boolean> {
      const key = keyOf(of);
      const id = cleanupId(key);
      const due = of.pending.execution.accepted_at + delayMs;
      const scheduled = await store.schedule(of.lock.lockToken, {
        ...key,
        id,
        due,
        accepted: of.pending.id,
        hook: of.lock.uuid,
        requestId: of.pending.execution.request_id ?? '',
      });
      if (scheduled === 'lost') return false;
      if (scheduled === 'back') {
        logger.info(
          { ...nameOf(of), cleanup: id, ...key },
          'branch deleted before a push that was removed: its runs stay',
        );
        return true;
      }
      deps.scheduled?.();
      await queue.enqueue(id, due - now());
      logger.info(
        { ...nameOf(of), cleanup: id, due: new Date(due).toISOString(), ...key },
        'branch deleted: the removal of its runs is scheduled',
      );
      return true;
    },

    /**
     * Cancels the cleanup of a branch that was pushed to.
     * @returns `lost` when the hook is another's by now; `busy` while the API removes the runs for
     *   another hook; `unsure` until the API has answered whether it has removed them
     */
    async cancel(of: BranchOfDelivery): Promise<'ok' | 'lost' | 'busy' | 'unsure'> {
      const key = keyOf(of);
      const id = cleanupId(key);
      const cancel = () =>
        store.cancel(of.lock.lockToken, {
          ...{ id, olderId: olderCleanupId(key), hook: of.lock.uuid, branch: of.branch },
        });
      let result = await cancel();
      if (result.kind === 'busy' && (await isLeftover(result.hook))) result = await cancel();
      if (result.kind === 'cancelled') {
        deps.cancelled?.();
        logger.info(
          { ...nameOf(of), cleanup: id, scheduledBy: result.requestId, ...key },
          'branch pushed again: the removal of its runs is cancelled',
        );
      }
      if (result.kind === 'unsure') await queue.enqueue(result.id, 0);
      return result.kind === 'none' || result.kind === 'cancelled' ? 'ok' : result.kind;
    },
  };
}
