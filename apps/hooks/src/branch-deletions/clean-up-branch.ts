import type { CdsApiClient } from '@cds/api-client';
import type { Logger } from '@cds/service';
import type { HookConfig } from '@cds/wire';
import type { Redis } from 'ioredis';
import { type Clock, hookKeys } from '@cds/hooks-store';
import type { ApiCaller } from '../executions/api-calls';
import { type Failure, outagePauseMs, pauseEnd } from '../executions/failures';
import type { Claim, HookOwnership } from '../executions/hook-ownership';
import { untilStored } from '../executions/until-stored';
import type { Cleanup } from './cleanup';
import type { CleanupStore } from './cleanup-store';
import { lookThroughWaiting } from './waiting-deliveries';

export interface CleanUpBranchDeps {
  redis: Redis;
  store: CleanupStore;
  ownership: HookOwnership;
  api: Pick<CdsApiClient, 'deleteBranchRuns'>;
  callApi: ApiCaller;
  logger: Logger;
  now: Clock;
  retryDelayMs: number;
  retryError: number;
  killed: AbortSignal;
  /** Told of each cleanup that has ended. */
  ended?: (result: 'done' | 'failed' | 'cancelled') => void;
}

export type CleanupOutcome =
  | { kind: 'end' }
  /** Not before `until` (ms). */
  | { kind: 'wait'; until: number; forApi: false }
  /** Not before `until`, unless the API answers earlier. `outages`: how often it did not, in a row. */
  | { kind: 'wait'; until: number; forApi: true; outages: number };

const BUSY_MS = 300;
const END: CleanupOutcome = { kind: 'end' };

/**
 * Removes the runs of a deleted branch when the time has come.
 *
 * The hook is held meanwhile, so that no run of it is asked for while the API removes: a push that comes in during
 * the call has its run afterwards.
 */
export function createCleanUpBranch(deps: CleanUpBranchDeps) {
  const { redis, store, ownership, api, callApi, logger, now, retryDelayMs, retryError } = deps;
  const stored = { logger, signal: deps.killed };

  /** Project and workflow of the hook's task now; those of then when the task is gone. */
  async function targetOf(cleanup: Cleanup): Promise<{ project: string; workflow: string }> {
    const json = await redis.hget(hookKeys(cleanup.hook).task, 'config');
    const config = json ? (JSON.parse(json) as HookConfig | null) : null;
    const project = config?.project?.value;
    const workflow = config?.workflow?.value;
    return project && workflow
      ? { project, workflow }
      : { project: cleanup.project, workflow: cleanup.workflow };
  }

  async function keepFailure(
    cleanup: Cleanup,
    failure: Failure,
    sentence = failure.message,
  ): Promise<CleanupOutcome> {
    const refused = failure.kind === 'refused';
    const nbErrors = cleanup.nb_errors + (refused ? 1 : 0);
    const outages = refused ? 0 : cleanup.outages + 1;
    const isFinal = refused && (nbErrors >= retryError || isSlashBefore052(cleanup, failure));
    const pause = refused ? retryDelayMs : outagePauseMs(outages, retryDelayMs);
    const retryAt = isFinal ? undefined : now() + pause;
    const of = { cleanup: cleanup.id, branch: cleanup.branch, error: sentence };
    if (isFinal)
      logger.error(of, 'the runs of a deleted branch were not removed and stay: see its task');
    else logger.warn(of, 'the runs of a deleted branch were not removed: trying again later');
    const kept = await untilStored(
      () =>
        store.fail(cleanup, { nbErrors, error: sentence, outages, retryAt, refused, now: now() }),
      stored,
    );
    if (kept === 'changed') return { kind: 'wait', until: now(), forApi: false };
    if (isFinal) deps.ended?.('failed');
    if (retryAt === undefined) return END;
    return refused
      ? { kind: 'wait', until: retryAt, forApi: false }
      : { kind: 'wait', until: retryAt, forApi: true, outages };
  }

  async function cleanUp(cleanup: Cleanup, claim: Claim): Promise<CleanupOutcome> {
    const { isBack, lastSeen } = await lookThroughWaiting(redis, cleanup);
    if (isBack) {
      logger.info(
        { cleanup: cleanup.id, branch: cleanup.branch },
        'a delivery that waits tells of the branch: its runs stay',
      );
      if ((await store.cancel(claim.holder, cleanup)) === 'cancelled') deps.ended?.('cancelled');
      return END;
    }
    const { project, workflow } = await targetOf(cleanup);
    const begin = () => store.begin(claim.holder, cleanup, lastSeen);
    const begun = await begin();
    // Moved, cancelled, or the hook has got more to look at: what is to be done is read again.
    if (begun !== 'ok') return { kind: 'wait', until: now() + BUSY_MS, forApi: false };

    const { branch } = cleanup;
    const result = await callApi(
      () => api.deleteBranchRuns({ project, workflow, branch }),
      async () => (await begin()) === 'ok',
    );
    if (!result) return { kind: 'wait', until: now() + BUSY_MS, forApi: false };
    if (!result.ok) {
      const { failure } = result;
      return keepFailure(
        cleanup,
        failure,
        isSlashBefore052(cleanup, failure) ? slashSentence(failure.message) : failure.message,
      );
    }
    await untilStored(() => store.remove(cleanup.id, cleanup.accepted), stored);
    deps.ended?.('done');
    logger.info(
      { cleanup: cleanup.id, project, workflow, branch },
      'the runs of a deleted branch were removed',
    );
    return END;
  }

  return async function cleanUpBranch(id: string): Promise<CleanupOutcome> {
    const cleanup = await store.read(id);
    if (!cleanup || cleanup.status !== 'waiting') return END;
    const until = Math.max(cleanup.due, pauseEnd(cleanup.retry_at, now(), retryDelayMs));
    if (until > now()) return { kind: 'wait', until, forApi: false };

    const claim = await ownership.claim(cleanup.hook);
    if (!claim) return { kind: 'wait', until: now() + BUSY_MS, forApi: false };
    try {
      return await cleanUp(cleanup, claim);
    } finally {
      await ownership.release(claim);
    }
  };
}

/** A CDS before 0.52 does not know the address of a branch with a slash; asking again changes nothing. */
function isSlashBefore052(cleanup: Cleanup, failure: Failure): boolean {
  return failure.kind === 'refused' && failure.status === 404 && cleanup.branch.includes('/');
}

function slashSentence(message: string): string {
  return `a CDS before 0.52 cannot remove the runs of a branch whose name holds a slash: remove them by hand, or upgrade CDS (it answered: ${message})`;
}

export type CleanUpBranch = ReturnType<typeof createCleanUpBranch>;
