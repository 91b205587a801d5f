import { cleanupId } from '@cds/hooks-store';
import type { HookConfig } from '@cds/wire';
import type { Resources } from '../../resources';
import type { BranchChanges, WaitingBranchChanges } from './waiting-branch-changes';

/** Cleanups that are cancelled concurrently. */
const AT_ONCE = 100;

/**
 * Before pending deliveries are removed, cancels the cleanups that their pushes would have
 * cancelled. A crash before the removal then only keeps runs.
 */
export function createCancelCleanups(
  { logger, stores, workMetrics }: Pick<Resources, 'logger' | 'stores' | 'workMetrics'>,
  waiting: WaitingBranchChanges,
) {
  /**
   * @param only the id of the delivery to remove; all pending ones when not given
   * @returns the id of the last pending delivery, or ""
   */
  return async function cancelCleanups(
    hook: { uuid: string; config: HookConfig | null },
    only?: string,
  ): Promise<string> {
    const { deliveries, lastSeen } = await waiting.read(hook.uuid);
    const last = new Map<string, BranchChanges>();
    const asked = new Set<string>();
    for (const delivery of deliveries) {
      for (const branch of delivery.branches.keys()) {
        last.set(branch, delivery);
        if (only === undefined || only === delivery.id) asked.add(branch);
      }
    }
    const back = [...last].filter(
      ([branch, { branches }]) => asked.has(branch) && branches.get(branch) === 'pushed',
    );
    for (let i = 0; i < back.length; i += AT_ONCE) {
      await Promise.all(
        back.slice(i, i + AT_ONCE).map(([branch, { id }]) => cancelOne(branch, id)),
      );
    }
    return lastSeen;

    async function cancelOne(branch: string, push: string) {
      const project = hook.config?.project?.value ?? '';
      const workflow = hook.config?.workflow?.value ?? '';
      const id = cleanupId({ project, workflow, branch });
      const of = { id, hook: hook.uuid, branch, push };
      if ((await stores.cleanups.cancelBeforePush(of)) === 0) return;
      workMetrics.cleanupEnded('cancelled');
      logger.info(
        { hook: hook.uuid, cleanup: id, branch, project, workflow },
        'a pending push is removed: the cleanup of its branch is cancelled',
      );
    }
  };
}
