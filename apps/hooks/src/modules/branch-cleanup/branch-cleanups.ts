import { cleanupId, type HookLock } from '@cds/hooks-store';
import type { BranchCleanups, BranchOfDelivery } from '../../queue/process-step';
import type { Resources } from '../../resources';
import type { RunRemoval } from './run-removal';

/** Deliveries schedule and cancel cleanups under the hook lock, so that the latest one wins. */
export function createBranchCleanups(
  resources: Pick<Resources, 'config' | 'logger' | 'now' | 'queues' | 'stores' | 'workMetrics'>,
  { hookLock, removal }: { hookLock: HookLock; removal: RunRemoval },
): BranchCleanups {
  const { config, logger, now, queues, workMetrics } = resources;
  const store = resources.stores.cleanups;

  function keyOf({ pending, repository, branch }: BranchOfDelivery) {
    const project = pending.config?.project?.value ?? '';
    const workflow = pending.config?.workflow?.value ?? '';
    return { project, workflow, repository, branch };
  }

  /** Names the delivery in the log. */
  function nameOf({ lock, pending }: BranchOfDelivery) {
    const { request_id, timestamp } = pending.execution;
    return { requestId: request_id, hook: lock.uuid, execution: timestamp };
  }

  /** Whether the process that marked a cleanup as begun crashed: taking its hook ends the mark. */
  async function isLeftover(hook: string): Promise<boolean> {
    const lock = await hookLock.acquire(hook);
    if (lock) await hookLock.release(lock);
    return lock !== undefined;
  }

  return {
    /**
     * Schedules the cleanup of a deleted branch, counted from the acceptance of the deletion. Safe
     * to repeat. Schedules nothing where the API removes runs itself.
     * @returns false when the hook lock is lost
     */
    async schedule(of: BranchOfDelivery): Promise<boolean> {
      if (removal.isOfApi()) return true;
      const key = keyOf(of);
      const id = cleanupId(key);
      const due = of.pending.execution.accepted_at + config.branchDeletion.delaySeconds * 1_000;
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
      workMetrics.cleanupScheduled();
      await queues.cleanups.enqueue(id, due - now());
      logger.info(
        { ...nameOf(of), cleanup: id, due: new Date(due).toISOString(), ...key },
        'branch deleted: the removal of its runs is scheduled',
      );
      return true;
    },

    /**
     * Cancels the cleanup of a branch that was pushed to.
     * @returns `lost` when the hook lock is lost; `busy` while the API removes the runs for another
     *   hook; `unsure` until the API has answered whether it has removed them
     */
    async cancel(of: BranchOfDelivery): Promise<'ok' | 'lost' | 'busy' | 'unsure'> {
      const key = keyOf(of);
      const id = cleanupId(key);
      const cancel = () =>
        store.cancel(of.lock.lockToken, { id, hook: of.lock.uuid, branch: of.branch });
      let result = await cancel();
      if (result.kind === 'busy' && (await isLeftover(result.hook))) result = await cancel();
      if (result.kind === 'cancelled') {
        workMetrics.cleanupEnded('cancelled');
        logger.info(
          { ...nameOf(of), cleanup: id, scheduledBy: result.requestId, ...key },
          'branch pushed again: the removal of its runs is cancelled',
        );
      }
      if (result.kind === 'unsure') await queues.cleanups.enqueue(result.id, 0);
      return result.kind === 'none' || result.kind === 'cancelled' ? 'ok' : result.kind;
    },
  };
}
