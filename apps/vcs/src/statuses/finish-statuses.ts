import { isApiError, type CdsApiClient } from '@cds/api-client';
import { LockTimeoutError, withLock } from '@cds/redis';
import type { Logger } from '@cds/service';
import { isCdsError } from '@cds/wire';
import type { Redis } from 'ioredis';
import { withDeadline, type DeadlineContext } from '../calls/deadline';
import type { BitbucketServers } from '../calls/find-server';
import { repoFromFullName } from '../calls/request-values';
import { buildStatus, type BuildStatusOptions } from './build-status';
import { ASK_AFTER_MS, type SendStatus } from './send-status';
import { isFinal } from './status-order';
import {
  MAX_AGE_MS,
  MAX_UNFINISHED,
  type UnfinishedStatus,
  type UnfinishedStatuses,
} from './unfinished-statuses';

const ROUND_EVERY_MS = 60_000;
/** Asked about in one round; the others come in the next one. */
const MAX_AT_ONCE = 200;
/** One status: a call of the API and one of Bitbucket. */
const ONE_MS = 40_000;
/** The lock of a round is renewed by no one: it outlives one status, and each takes it anew. */
const LOCK_MS = ONE_MS + 10_000;
/** A build that still runs is asked about again after as long as it has run, within these bounds. */
const MAX_PAUSE_MS = 30 * 60_000;
/** After a start, what was missed may be a moment away from being known. */
const AFTER_START_MS = 60_000;
/** How long somebody is asked who says that there is no such run, or that it is none of our business. */
const REFUSED_FOR_MS = 24 * 60 * 60_000;

export interface FinishStatusesDeps {
  redis: Redis;
  servers: BitbucketServers;
  unfinished: UnfinishedStatuses;
  sendStatus: SendStatus;
  api: Pick<CdsApiClient, 'nodeRun'>;
  options: () => Pick<BuildStatusOptions, 'uiUrl' | 'sendSkipped'>;
  logger: Logger;
  /** Milliseconds between two rounds, a minute when not given. */
  roundEveryMs?: number;
}

export interface FinishStatuses {
  /** Asks about all that is unfinished, then now and then about what has been so for long. */
  start(): void;
  close(): void;
}

/** What became of one: `wait` for the API, which does not answer anything now. */
type Outcome = 'done' | 'wait';

/**
 * Sends the end of builds of which CDS never told: it says so once, and whoever was away then never hears of it. The API
 * is asked how the run ended, by one replica at a time; what is sent goes the way of every status, so that nothing is
 * sent twice or in the wrong order.
 */
export function createFinishStatuses(deps: FinishStatusesDeps): FinishStatuses {
  const { redis, servers, unfinished, sendStatus, api, logger } = deps;
  const closing = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let afterStart = true;

  /** Tries again as long as somebody may know. */
  async function refused(id: string, status: UnfinishedStatus, reason: string): Promise<void> {
    const now = Date.now();
    const { refusedSince = now } = status;
    if (status.refusedSince === undefined)
      logger.warn(
        { ...aboutRun(status), reason },
        'build status stays in progress at Bitbucket: its end cannot be found out or sent; tried for a day',
      );
    if (now - refusedSince >= REFUSED_FOR_MS) await unfinished.forget(id);
    else await unfinished.postpone(id, now + MAX_PAUSE_MS, { ...status, refusedSince });
  }

  async function finish(id: string, ctx: DeadlineContext): Promise<Outcome> {
    const status = await unfinished.read(id);
    const server = status && servers.get(status.server);
    if (!status || !server || server.config.status.disable) {
      await unfinished.forget(id);
      return 'done';
    }
    const now = Date.now();
    const age = now - status.since;
    if (age >= MAX_AGE_MS) {
      await unfinished.forget(id);
      return 'done';
    }
    // Kept for runs: this can wait.
    if ((await server.budget.state()).allowed === 'runs') {
      await unfinished.postpone(id, now + ASK_AFTER_MS);
      return 'done';
    }
    const { project, workflow, number, node: nodeName, repository } = status;
    let run;
    try {
      run = await api.nodeRun({ project, workflow, number, node: nodeName }, ctx.signal);
    } catch (error) {
      if (!isApiError(error)) throw error;
      if (error.kind !== 'refused') return 'wait';
      await refused(id, status, error.message);
      return 'done';
    }
    if (!run) {
      await refused(id, status, 'the run has no such node');
      return 'done';
    }
    const event = {
      projectKey: project,
      workflowName: workflow,
      node: {
        ...{ NodeName: nodeName, Status: run.status, Number: number, SubNumber: run.subNumber },
        ...{ Hash: status.hash, RepositoryFullName: repository, BranchName: status.branch },
      },
    };
    const { showDetail } = server.config.status;
    const next = buildStatus(event, { ...deps.options(), showDetail });
    if (!next || !isFinal(next)) {
      const pause = afterStart
        ? AFTER_START_MS
        : Math.min(Math.max(age, ASK_AFTER_MS), MAX_PAUSE_MS);
      await unfinished.postpone(id, now + pause);
      return 'done';
    }
    const tokens = server.grants.tokensOf(status.grant);
    const { grant, since } = status;
    const call = { server, bitbucket: server.connect(tokens), grant, ctx, since };
    try {
      await sendStatus(call, repoFromFullName(repository), event, next);
      logger.info({ ...aboutRun(status), state: next.state }, 'build status finished');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (isCdsError(error) && error.status === 401) await refused(id, status, reason);
      else logger.warn({ ...aboutRun(status), reason }, 'build status not finished');
    }
    return 'done';
  }

  async function round(): Promise<void> {
    await unfinished.trim();
    const due = afterStart
      ? await unfinished.due(Number.MAX_SAFE_INTEGER, MAX_UNFINISHED)
      : await unfinished.due(Date.now(), MAX_AT_ONCE);
    for (const id of due) {
      if (closing.signal.aborted) return;
      const lock = { ttlMs: LOCK_MS, waitMs: 0, signal: closing.signal };
      const outer = { signal: closing.signal, deadline: Infinity };
      const outcome = await withLock(redis, 'cdsbb:vcs:lock:unfinished', lock, () =>
        withDeadline(outer, ONE_MS, (ctx) => finish(id, ctx)),
      );
      if (outcome === 'wait') return;
    }
    afterStart = false;
  }

  async function rounds(): Promise<void> {
    try {
      await round();
    } catch (error) {
      // Another replica is at it.
      if (!(error instanceof LockTimeoutError) && !closing.signal.aborted)
        logger.warn({ err: error }, 'unfinished build statuses not looked at: trying again');
    }
    if (closing.signal.aborted) return;
    timer = setTimeout(() => void rounds(), deps.roundEveryMs ?? ROUND_EVERY_MS).unref();
  }

  return {
    start: () => void rounds(),
    close() {
      closing.abort();
      clearTimeout(timer);
    },
  };
}

function aboutRun({ project, workflow, number, node, repository, hash }: UnfinishedStatus) {
  return { project, workflow, run: number, node, repository, hash };
}
