import type { WorkflowRef } from '@cds/api-client';
import type { Cleanup } from '@cds/hooks-store';
import { type Failure, outagePauseMs } from '../../queue/api-failure';
import { retryWrite } from '../../queue/retry-write';
import type { Resources } from '../../resources';
import type { RunRemoval } from './run-removal';

export type CleanupOutcome =
  | { kind: 'end' }
  /**
   * Not before `until` (ms). `outages`: tries in a row that the API did not answer; it may begin
   * sooner when the API does.
   */
  | { kind: 'wait'; until: number; outages?: number };

/** More runs are left than one turn removes. */
const MORE_RUNS: Failure = {
  kind: 'unavailable',
  message: 'the branch has more runs: the next ones follow',
  mayBeDone: false,
};

/** Before a locked hook or cleanup is tried again. */
export const BUSY_MS = 300;
export const END: CleanupOutcome = { kind: 'end' };

export function waitUntil(until: number): CleanupOutcome & { kind: 'wait' } {
  return { kind: 'wait', until };
}

/**
 * What is known of a removal after a failure. An API in trouble (a full pool, a lock timeout) may
 * refuse a repeated call and still carry out the first, whose result is unknown.
 */
function removalAfter({ unsure }: Cleanup, failure: Failure): 'answered' | 'unsure' | 'not sent' {
  if (failure.kind !== 'refused') return failure.mayBeDone ? 'unsure' : 'not sent';
  const { status = 500 } = failure;
  return unsure && (status >= 500 || status === 429) ? 'not sent' : 'answered';
}

/**
 * Has the API remove the runs of a branch, under its hook lock, and stores the result. Without one,
 * the cleanup stays `unsure` until the API has answered.
 */
export function createRemoveRuns(
  resources: Pick<Resources, 'callApi' | 'config' | 'logger' | 'now' | 'stores' | 'workMetrics'>,
  removal: RunRemoval,
  killed: AbortSignal,
) {
  const { callApi, config, logger, now, workMetrics } = resources;
  const store = resources.stores.cleanups;
  const retryDelayMs = config.retryDelaySeconds * 1_000;
  const stored = { logger, signal: killed };

  async function saveFailure(cleanup: Cleanup, failure: Failure): Promise<CleanupOutcome> {
    const isSlash = isSlashBefore052(cleanup, failure);
    const error = isSlash ? slashSentence(failure.message) : failure.message;
    const refused = failure.kind === 'refused';
    const nbErrors = cleanup.nb_errors + (refused ? 1 : 0);
    const outages = refused ? 0 : cleanup.outages + 1;
    const isFinal = refused && (nbErrors >= config.retryError || isSlash);
    const pause = refused ? retryDelayMs : outagePauseMs(outages, retryDelayMs);
    const retryAt = isFinal ? undefined : now() + pause;
    const removal = removalAfter(cleanup, failure);
    const of = { ...nameOf(cleanup), branch: cleanup.branch, error };
    if (failure === MORE_RUNS) logger.info(of, 'cleanup goes on later: the branch has more runs');
    else if (isFinal)
      logger.error(of, 'cleanup failed: the runs of the deleted branch stay, see its task');
    else logger.warn(of, 'cleanup failed: it is tried again later');
    const failed = { nbErrors, error, outages, retryAt, refused, removal };
    const result = await retryWrite(() => store.fail(cleanup, { ...failed, now: now() }), stored);
    if (result.kind === 'changed') return waitUntil(now());
    if (isFinal) workMetrics.cleanupEnded('failed', result.dropped);
    else workMetrics.retried('cleanup', failure.kind);
    if (retryAt === undefined) return END;
    return { ...waitUntil(retryAt), ...(refused ? {} : { outages }) };
  }

  /**
   * @param cleanup begun under its hook lock
   * @param stillMine asked before a second call, since registering again takes time
   */
  return async function removeRuns(
    cleanup: Cleanup,
    { project, workflow }: WorkflowRef,
    stillMine: () => Promise<boolean>,
  ): Promise<CleanupOutcome> {
    const { branch, requestId } = cleanup;
    if (removal.isOfApi()) {
      // Scheduled before the API was upgraded.
      await retryWrite(() => store.finish(cleanup, now()), stored);
      workMetrics.cleanupEnded('cancelled');
      const why = 'cleanup ended: the CDS API removes the runs by its retention rules';
      logger.info({ ...nameOf(cleanup), project, workflow, branch }, why);
      return END;
    }
    // The wall clock may be put back during the call.
    const begunAt = now();
    const result = await callApi(
      () => removal.remove({ project, workflow, branch, requestId }),
      stillMine,
    );
    if (!result) return waitUntil(now() + BUSY_MS);
    if (!result.ok) return saveFailure(cleanup, result.failure);
    if (!result.value) return saveFailure(cleanup, MORE_RUNS);
    const finished = await retryWrite(() => store.finish(cleanup, begunAt), stored);
    if (finished !== 'waiting') workMetrics.cleanupEnded('done');
    logger.info(
      { ...nameOf(cleanup), project, workflow, branch },
      'the runs of a deleted branch were removed',
    );
    return END;
  };
}

export type RemoveRuns = ReturnType<typeof createRemoveRuns>;

/** Every log line about a cleanup has the request id of the deletion. */
export function nameOf({ id, requestId, hook }: Cleanup) {
  return { ...(requestId ? { requestId } : {}), hook, cleanup: id };
}

/** A CDS before 0.52 has no route for a branch with a slash: another try would fail, too. */
function isSlashBefore052(cleanup: Cleanup, failure: Failure): boolean {
  return failure.kind === 'refused' && failure.status === 404 && cleanup.branch.includes('/');
}

function slashSentence(message: string): string {
  return (
    'a CDS before 0.52 cannot remove the runs of a branch whose name holds a slash: ' +
    `remove them by hand, or upgrade CDS (it answered: ${message})`
  );
}
