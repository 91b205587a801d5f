import type { WorkflowRef } from '@cds/api-client';
import {
  type Cleanup,
  findBranchElsewhere,
  type HeldLock,
  type HookLock,
  readTaskConfig,
} from '@cds/hooks-store';
import { pauseEnd } from '../../queue/api-failure';
import type { Resources } from '../../resources';
import { latestBranchChange } from './latest-branch-change';
import {
  BUSY_MS,
  type CleanupOutcome,
  END,
  nameOf,
  type RemoveRuns,
  waitUntil,
} from './remove-runs';
import type { WaitingBranchChanges } from './waiting-branch-changes';

/**
 * Removes the runs of a deleted branch when its cleanup is due.
 *
 * The hook is locked and the cleanup marked meanwhile, so that no run of the branch starts while
 * the API removes: a push during the call, at any hook of the workflow, has its run afterwards. If
 * the result of an earlier call is unknown, the API may still carry it out: the call is always
 * repeated, and pushes wait for it.
 */
export function createCleanUpBranch(
  resources: Pick<Resources, 'config' | 'logger' | 'now' | 'redis' | 'stores' | 'workMetrics'>,
  deps: { hookLock: HookLock; waiting: WaitingBranchChanges; removeRuns: RemoveRuns },
) {
  const { config, redis, logger, now, stores, workMetrics } = resources;
  const store = stores.cleanups;
  const { hooksOf } = stores.tasks;
  const { hookLock, waiting, removeRuns } = deps;

  /** The current ones of the hook's task; the stored ones if the task is gone or unreadable. */
  async function targetOf(cleanup: Cleanup): Promise<WorkflowRef> {
    const config = await readTaskConfig(redis, cleanup.hook);
    const project = config?.project?.value;
    const workflow = config?.workflow?.value;
    return project && workflow
      ? { project, workflow }
      : { project: cleanup.project, workflow: cleanup.workflow };
  }

  async function cancel(
    cleanup: Cleanup,
    lock: HeldLock,
    why: string,
    of: object = {},
  ): Promise<CleanupOutcome> {
    const { kind } = await store.cancel(lock.lockToken, cleanup);
    if (kind !== 'cancelled') return waitUntil(now() + BUSY_MS);
    workMetrics.cleanupEnded('cancelled');
    logger.info({ ...nameOf(cleanup), branch: cleanup.branch, ...of }, why);
    return END;
  }

  /** The pending deletion schedules the cleanup anew. If that is removed before, this one stays. */
  async function postpone(cleanup: Cleanup, lock: HeldLock, due: number): Promise<CleanupOutcome> {
    const postponed = await store.postpone(lock.lockToken, cleanup, due);
    if (postponed !== 'ok') return waitUntil(now() + BUSY_MS);
    logger.info(
      { ...nameOf(cleanup), branch: cleanup.branch, due: new Date(due).toISOString() },
      'the branch was deleted again: its cleanup is postponed',
    );
    return waitUntil(due);
  }

  async function cleanUp(cleanup: Cleanup, lock: HeldLock): Promise<CleanupOutcome> {
    const { project, workflow } = await targetOf(cleanup);
    if (cleanup.unsure) return remove(cleanup, lock, { project, workflow }, new Map());
    const isRenamed = project !== cleanup.project || workflow !== cleanup.workflow;
    const others = [
      ...(await hooksOf(project, workflow)),
      ...(isRenamed ? await hooksOf(cleanup.project, cleanup.workflow) : []),
    ];
    const hooks = new Set([cleanup.hook, ...others]);
    // A delivery accepted before is pending, or was processed before the last changes are read.
    const branchChanges = await latestBranchChange(waiting, cleanup, hooks);
    if (branchChanges.kind === 'pushed')
      return cancel(cleanup, lock, 'cleanup cancelled: a pending push brings the branch back');
    const lives = await findBranchElsewhere(redis, cleanup, hooks);
    if (lives !== undefined) {
      const why = 'cleanup cancelled: the branch exists at another hook of the workflow';
      return cancel(cleanup, lock, why, { lives });
    }
    const due = branchChanges.acceptedAt + config.branchDeletion.delaySeconds * 1_000;
    if (branchChanges.kind === 'deleted' && due > now()) return postpone(cleanup, lock, due);

    return remove(cleanup, lock, { project, workflow }, branchChanges.lastSeen);
  }

  async function remove(
    cleanup: Cleanup,
    lock: HeldLock,
    of: WorkflowRef,
    lastSeen: ReadonlyMap<string, string>,
  ): Promise<CleanupOutcome> {
    const begin = () => store.begin(lock.lockToken, cleanup, lastSeen);
    // It was postponed or cancelled, or a hook has new deliveries: all is read again.
    if ((await begin()) !== 'ok') return waitUntil(now() + BUSY_MS);
    return removeRuns(cleanup, of, async () => {
      if ((await begin()) === 'ok') return true;
      // The API refused the first call, and there is no second one.
      await store.letGo(lock.lockToken, [cleanup]);
      return false;
    });
  }

  return async function cleanUpBranch(id: string): Promise<CleanupOutcome> {
    const cleanup = await store.read(id);
    if (!cleanup || cleanup.status !== 'waiting') return END;
    const until = notBefore(cleanup, now(), config);
    if (until > now()) return waitUntil(until);

    const lock = await hookLock.acquire(cleanup.hook);
    if (!lock) return waitUntil(now() + BUSY_MS);
    try {
      // The process that was calling the API may have ended since.
      const known = cleanup.unsure ? await store.read(id) : cleanup;
      return known?.status === 'waiting' ? await cleanUp(known, lock) : END;
    } finally {
      await hookLock.release(lock);
    }
  };
}

/** When a cleanup may begin (ms): when due, or at once if `unsure`, but never within a pause. */
export function notBefore(
  { due, retry_at, unsure }: Pick<Cleanup, 'due' | 'retry_at' | 'unsure'>,
  now: number,
  { retryDelaySeconds }: Pick<Resources['config'], 'retryDelaySeconds'>,
): number {
  return Math.max(unsure ? 0 : due, pauseEnd(retry_at, now, retryDelaySeconds * 1_000));
}

export type CleanUpBranch = ReturnType<typeof createCleanUpBranch>;
