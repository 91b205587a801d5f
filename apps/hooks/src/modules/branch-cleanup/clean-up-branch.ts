import type { Logger } from '@cds/service';
import type { Redis } from 'ioredis';
import {
  type Clock,
  type Cleanup,
  readTaskConfig,
  type HeldLock,
  type HookLock,
  type CleanupStore,
  findBranchElsewhere,
} from '@cds/hooks-store';
import { pauseEnd } from '../../queue/api-failure';
import { latestBranchChange } from './latest-branch-change';
import {
  BUSY_MS,
  type CleanupOutcome,
  END,
  nameOf,
  type RemoveRuns,
  type RunsOf,
} from './remove-runs';
import type { WaitingBranchChanges } from './waiting-branch-changes';

export interface CleanUpBranchDeps {
  redis: Redis;
  store: CleanupStore;
  hookLock: HookLock;
  waiting: WaitingBranchChanges;
  /** The hooks that the API may ask for runs of a workflow through. */
  hooksOf(project: string, workflow: string): Promise<string[]>;
  removeRuns: RemoveRuns;
  logger: Logger;
  now: Clock;
  retryDelayMs: number;
  /** From a deletion to the cleanup (ms). */
  delayMs: number;
  /** Told of each cleanup that a push cancelled. */
  ended?: (result: 'cancelled') => void;
}

/**
 * Removes the runs of a deleted branch when the time has come.
 *
 * The hook is held meanwhile and the cleanup marked, so that no run of the branch is asked for while the API removes:
 * a push that comes in during the call, at whichever hook of the workflow, has its run afterwards.
 * Where nobody knows what became of an earlier call, the API is asked again in any case, and pushes
 * have their runs after that: a call that was given up may still be carried out.
 */
export function createCleanUpBranch(deps: CleanUpBranchDeps) {
  const { redis, store, hookLock, removeRuns, logger, now, retryDelayMs } = deps;
  const { waiting, hooksOf, delayMs } = deps;

  /**
   * Project and workflow of the hook's task now; those of then when the task is gone or cannot be
   * read.
   */
  async function targetOf(cleanup: Cleanup): Promise<{ project: string; workflow: string }> {
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
    if (kind !== 'cancelled') return { kind: 'wait', until: now() + BUSY_MS, forApi: false };
    deps.ended?.('cancelled');
    logger.info({ ...nameOf(cleanup), branch: cleanup.branch, ...of }, why);
    return END;
  }

  /** The deletion that waits schedules it anew when its turn comes; should it be removed before, this one stays. */
  async function postpone(cleanup: Cleanup, lock: HeldLock, due: number): Promise<CleanupOutcome> {
    const postponed = await store.postpone(lock.lockToken, cleanup, due);
    if (postponed !== 'ok') return { kind: 'wait', until: now() + BUSY_MS, forApi: false };
    logger.info(
      { ...nameOf(cleanup), branch: cleanup.branch, due: new Date(due).toISOString() },
      'the branch was deleted again: the removal of its runs waits from then on',
    );
    return { kind: 'wait', until: due, forApi: false };
  }

  async function cleanUp(cleanup: Cleanup, lock: HeldLock): Promise<CleanupOutcome> {
    const { project, workflow } = await targetOf(cleanup);
    if (cleanup.unsure) {
      return remove(cleanup, lock, { project, workflow }, new Map());
    }
    const isRenamed = project !== cleanup.project || workflow !== cleanup.workflow;
    const others = [
      ...(await hooksOf(project, workflow)),
      ...(isRenamed ? await hooksOf(cleanup.project, cleanup.workflow) : []),
    ];
    const hooks = new Set([cleanup.hook, ...others]);
    // What was accepted before is among what waits, or was worked off by the time that the last
    // changes are read.
    const branchChanges = await latestBranchChange(waiting, cleanup, hooks);
    if (branchChanges.kind === 'pushed')
      return cancel(cleanup, lock, 'a push that waits brings the branch back: its runs stay');
    const lives = await findBranchElsewhere(redis, cleanup, hooks);
    if (lives !== undefined)
      return cancel(cleanup, lock, 'the branch lives at a hook of the workflow: its runs stay', {
        lives,
      });
    const due = branchChanges.acceptedAt + delayMs;
    if (branchChanges.kind === 'deleted' && due > now()) return postpone(cleanup, lock, due);

    return remove(cleanup, lock, { project, workflow }, branchChanges.lastSeen);
  }

  async function remove(
    cleanup: Cleanup,
    lock: HeldLock,
    of: RunsOf,
    lastSeen: ReadonlyMap<string, string>,
  ): Promise<CleanupOutcome> {
    const begin = () => store.begin(lock.lockToken, cleanup, lastSeen);
    // Moved, cancelled, or a hook has got more to look at: what is to be done is read again.
    if ((await begin()) !== 'ok') return { kind: 'wait', until: now() + BUSY_MS, forApi: false };
    return removeRuns(cleanup, of, async () => {
      if ((await begin()) === 'ok') return true;
      // The API refused the first call, and gets no second one.
      await store.letGo(lock.lockToken, [cleanup]);
      return false;
    });
  }

  return async function cleanUpBranch(id: string): Promise<CleanupOutcome> {
    const cleanup = await store.read(id);
    if (!cleanup || cleanup.status !== 'waiting') return END;
    const until = notBefore(cleanup, now(), retryDelayMs);
    if (until > now()) return { kind: 'wait', until, forApi: false };

    const lock = await hookLock.acquire(cleanup.hook);
    if (!lock) return { kind: 'wait', until: now() + BUSY_MS, forApi: false };
    try {
      // Whoever was asking the API when it was read may be done by now.
      const known = cleanup.unsure ? await store.read(id) : cleanup;
      return known?.status === 'waiting' ? await cleanUp(known, lock) : END;
    } finally {
      await hookLock.release(lock);
    }
  };
}

/**
 * When a cleanup that waits is to be looked at (ms): when it is due, or at once where nobody knows
 * what the API did, and not within a pause.
 */
export function notBefore(
  { due, retry_at, unsure }: Pick<Cleanup, 'due' | 'retry_at' | 'unsure'>,
  now: number,
  retryDelayMs: number,
): number {
  return Math.max(unsure ? 0 : due, pauseEnd(retry_at, now, retryDelayMs));
}

export type CleanUpBranch = ReturnType<typeof createCleanUpBranch>;
