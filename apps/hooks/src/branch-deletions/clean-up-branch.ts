import type { CdsApiClient } from '@cds/api-client';
import type { Logger } from '@cds/service';
import type { HookConfig } from '@cds/wire';
import type { Redis } from 'ioredis';
import { type Clock, hookKeys, type Cleanup } from '@cds/hooks-store';
import type { ApiCaller } from '../executions/api-calls';
import { type Failure, outagePauseMs, pauseEnd } from '../executions/failures';
import type { Claim, HookOwnership } from '../executions/hook-ownership';
import { untilStored } from '../executions/until-stored';
import type { RetryReason } from '../executions/work-off-delivery';
import type { CleanupStore } from './cleanup-store';
import { latestNews } from './latest-news';
import type { WaitingDeliveries } from './waiting-deliveries';

export interface CleanUpBranchDeps {
  redis: Redis;
  store: CleanupStore;
  ownership: HookOwnership;
  waiting: WaitingDeliveries;
  /** The hooks that the API may ask for runs of a workflow through. */
  hooksOf(project: string, workflow: string): Promise<string[]>;
  api: Pick<CdsApiClient, 'deleteBranchRuns'>;
  callApi: ApiCaller;
  logger: Logger;
  now: Clock;
  retryDelayMs: number;
  retryError: number;
  /** From a deletion to the cleanup (ms). */
  delayMs: number;
  killed: AbortSignal;
  /** Told of each cleanup that has ended. */
  ended?: (result: 'done' | 'failed' | 'cancelled', deadLettersDropped?: number) => void;
  /** Told of each removal that is to be asked for again. */
  retried?: (reason: RetryReason) => void;
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
 * The hook is held meanwhile and the cleanup marked, so that no run of the branch is asked for while the API removes:
 * a push that comes in during the call, at whichever hook of the workflow, has its run afterwards.
 */
export function createCleanUpBranch(deps: CleanUpBranchDeps) {
  const { redis, store, ownership, api, callApi, logger, now, retryDelayMs, retryError } = deps;
  const { waiting, hooksOf, delayMs } = deps;
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
    const of = { ...nameOf(cleanup), branch: cleanup.branch, error: sentence };
    if (isFinal)
      logger.error(of, 'the runs of a deleted branch were not removed and stay: see its task');
    else logger.warn(of, 'the runs of a deleted branch were not removed: trying again later');
    const { kept, dropped } = await untilStored(
      () =>
        store.fail(cleanup, { nbErrors, error: sentence, outages, retryAt, refused, now: now() }),
      stored,
    );
    if (kept === 'changed') return { kind: 'wait', until: now(), forApi: false };
    if (isFinal) deps.ended?.('failed', dropped);
    else deps.retried?.(failure.kind);
    if (retryAt === undefined) return END;
    return refused
      ? { kind: 'wait', until: retryAt, forApi: false }
      : { kind: 'wait', until: retryAt, forApi: true, outages };
  }

  async function cancel(cleanup: Cleanup, claim: Claim): Promise<CleanupOutcome> {
    const { kind } = await store.cancel(claim.holder, cleanup);
    if (kind !== 'cancelled') return { kind: 'wait', until: now() + BUSY_MS, forApi: false };
    deps.ended?.('cancelled');
    logger.info(
      { ...nameOf(cleanup), branch: cleanup.branch },
      'a push that waits brings the branch back: its runs stay',
    );
    return END;
  }

  /** The deletion that waits schedules it anew when its turn comes; should it be removed before, this one stays. */
  async function postpone(cleanup: Cleanup, claim: Claim, due: number): Promise<CleanupOutcome> {
    const postponed = await store.postpone(claim.holder, cleanup, due);
    if (postponed !== 'ok') return { kind: 'wait', until: now() + BUSY_MS, forApi: false };
    logger.info(
      { ...nameOf(cleanup), branch: cleanup.branch, due: new Date(due).toISOString() },
      'the branch was deleted again: the removal of its runs waits from then on',
    );
    return { kind: 'wait', until: due, forApi: false };
  }

  async function cleanUp(cleanup: Cleanup, claim: Claim): Promise<CleanupOutcome> {
    const { project, workflow } = await targetOf(cleanup);
    const isRenamed = project !== cleanup.project || workflow !== cleanup.workflow;
    const others = [
      ...(await hooksOf(project, workflow)),
      ...(isRenamed ? await hooksOf(cleanup.project, cleanup.workflow) : []),
    ];
    const news = await latestNews(waiting, cleanup, new Set([cleanup.hook, ...others]));
    if (news.kind === 'pushed') return cancel(cleanup, claim);
    const due = news.acceptedAt + delayMs;
    if (news.kind === 'deleted' && due > now()) return postpone(cleanup, claim, due);

    const begin = () => store.begin(claim.holder, cleanup, news.lastSeen);
    const begun = await begin();
    // Moved, cancelled, or a hook has got more to look at: what is to be done is read again.
    if (begun !== 'ok') return { kind: 'wait', until: now() + BUSY_MS, forApi: false };

    const { branch } = cleanup;
    const result = await callApi(
      () => api.deleteBranchRuns({ project, workflow, branch, requestId: cleanup.requestId }),
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
      { ...nameOf(cleanup), project, workflow, branch },
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

/** Every line about a cleanup names the request that told of the deletion. */
function nameOf({ id, requestId, hook }: Cleanup) {
  return { ...(requestId ? { requestId } : {}), hook, cleanup: id };
}

/** A CDS before 0.52 does not know the address of a branch with a slash; asking again changes nothing. */
function isSlashBefore052(cleanup: Cleanup, failure: Failure): boolean {
  return failure.kind === 'refused' && failure.status === 404 && cleanup.branch.includes('/');
}

function slashSentence(message: string): string {
  return `a CDS before 0.52 cannot remove the runs of a branch whose name holds a slash: remove them by hand, or upgrade CDS (it answered: ${message})`;
}

export type CleanUpBranch = ReturnType<typeof createCleanUpBranch>;
