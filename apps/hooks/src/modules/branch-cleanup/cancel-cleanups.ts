import type { HookConfig } from '@cds/wire';
import type { Logger } from '@cds/service';
import { cleanupId, olderCleanupId, type CleanupStore } from '@cds/hooks-store';
import type { WorkMetrics } from '../../queue/work-metrics';
import type { BranchChanges, WaitingBranchChanges } from './waiting-branch-changes';

/** Cleanups that are cancelled concurrently. */
const AT_ONCE = 100;

/**
 * Before pending deliveries are removed, cancels the cleanups that their pushes would have
 * cancelled. A crash before the removal then only keeps runs.
 */
export function createCancelCleanups(deps: {
  waiting: WaitingBranchChanges;
  store: CleanupStore;
  logger: Logger;
  workMetrics: WorkMetrics;
}) {
  const { waiting, store, logger } = deps;

  /**
   * @param only the id of the delivery to remove; all pending ones when not given
   * @returns the id of the last pending delivery, or ""
   */
  return async function cancelCleanups(
    hook: { uuid: string; config: HookConfig | null },
    only?: string,
  ): Promise<string> {
    const { deliveries, lastSeen } = await waiting.read(hook.uuid);
    const last = new Map<string, { id: string; branchChanges: BranchChanges }>();
    const asked = new Set<string>();
    for (const delivery of deliveries) {
      for (const branch of delivery.branchChanges.branches.keys()) {
        last.set(branch, delivery);
        if (only === undefined || only === delivery.id) asked.add(branch);
      }
    }
    const back = [...last].filter(
      ([branch, { branchChanges }]) =>
        asked.has(branch) && branchChanges.branches.get(branch) === 'pushed',
    );
    for (let i = 0; i < back.length; i += AT_ONCE) {
      await Promise.all(
        back
          .slice(i, i + AT_ONCE)
          .map(([branch, { id, branchChanges }]) => cancelOne(branch, id, branchChanges)),
      );
    }
    return lastSeen;

    async function cancelOne(
      branch: string,
      push: string,
      { repository }: BranchChanges,
    ): Promise<void> {
      const project = hook.config?.project?.value ?? '';
      const workflow = hook.config?.workflow?.value ?? '';
      const id = cleanupId({ project, workflow, branch });
      const olderId = olderCleanupId({ project, workflow, repository, branch });
      const of = { id, olderId, hook: hook.uuid, branch, push };
      const cancelled = await store.cancelBeforePush(of);
      if (cancelled === 0) return;
      deps.workMetrics.cleanupEnded('cancelled');
      logger.info(
        { hook: hook.uuid, cleanup: id, branch, project, workflow },
        'a pending push is removed: the cleanup of its branch is cancelled',
      );
    }
  };
}
