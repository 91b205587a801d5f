import { isApiError, type CdsApiClient } from '@cds/api-client';
import type { AccessTokenSource } from '@cds/bitbucket';
import { type DeadlineContext, withTimeout } from '@cds/network';
import { createDueLoop, LockTimeoutError, vcsKeys, withLock } from '@cds/redis';
import type { Logger } from '@cds/service';
import { isCdsError } from '@cds/wire';
import type { Redis } from 'ioredis';
import { maxEntries } from '@cds/service';
import { LRUCache } from 'lru-cache';
import type { BitbucketServer } from '../servers/bitbucket-server';
import type { Servers } from '../servers/find-server';
import { isProjectKey } from '../credentials/project-credential';
import { repoFromFullName } from '../http/repository-ref';
import { buildOfEvent, type BuildStatusOptions } from './build-event';
import { buildState, describeBuild, type ReportedBuild } from './reported-build';
import { ASK_AFTER_MS, type SendStatus } from './send-status';
import { createRefusalWarning, type Refusal } from './refusal-warning';
import { isFinal } from './status-order';
import {
  createWaitingStatuses,
  MAX_AGE_MS,
  MAX_UNFINISHED,
  type UnfinishedStatus,
  type UnfinishedStatuses,
} from './unfinished-statuses';

const UNFINISHED_LOCK = vcsKeys.lock('unfinished');
const ROUND_EVERY_MS = 60_000;
/** Statuses of one round; the others come in the next one. */
const MAX_AT_ONCE = 200;
/** One status: a call of the API and one of Bitbucket. */
const ONE_MS = 40_000;
/** The lock of one status, which is not renewed. */
const LOCK_MS = ONE_MS + 10_000;
/** The longest pause between two questions about a build; it grows with the age of the build. */
const MAX_PAUSE_MS = 30 * 60_000;
/** The first pause after a start: an end that was missed may soon be known. */
const AFTER_START_MS = 60_000;
/** After this many in a row, the fault is the API's and not that of a run: the round ends. */
const MAX_UNANSWERED = 5;
/** The time for which a run is asked about that does not exist or must not be read. */
const REFUSED_FOR_MS = 24 * 60 * 60_000;

interface FinishStatusesDeps {
  redis: Redis;
  servers: Servers;
  unfinished: UnfinishedStatuses;
  sendStatus: SendStatus;
  api: Pick<CdsApiClient, 'nodeRun'>;
  options: () => Pick<BuildStatusOptions, 'uiUrl' | 'sendSkipped'>;
  /** Whether the state in Redis is this CDS's; else nothing is checked. */
  isOurs: () => boolean;
  logger: Logger;
  /** Milliseconds between two rounds, a minute when not given. */
  roundEveryMs?: number | undefined;
}

type NodeRun = NonNullable<Awaited<ReturnType<CdsApiClient['nodeRun']>>>;

/** `unanswered`: postponed, others may have an answer. `unreachable`: no run has an answer now. */
type Outcome = 'done' | 'unanswered' | 'unreachable';

/**
 * Sends the end of builds that CDS reported while `vcs` was away, since CDS reports it once. One
 * replica at a time asks the API how the run ended, and sends the status as all others are sent.
 */
export function createFinishStatuses(deps: FinishStatusesDeps) {
  const { redis, servers, unfinished, sendStatus, api, logger } = deps;
  const closing = new AbortController();
  let afterStart = true;
  const warnOfRefusal = createRefusalWarning(logger);
  /** Id → since when the API gives no answer about its run (ms). */
  const unansweredSince = new LRUCache<string, number>(maxEntries(MAX_UNFINISHED));
  const { roundEveryMs = ROUND_EVERY_MS } = deps;
  const waiting = createWaitingStatuses();

  /** Postpones a run that the API refuses, and drops it after a day. */
  async function refused(id: string, status: UnfinishedStatus, why: Refusal): Promise<void> {
    const now = Date.now();
    const { refusedSince = now } = status;
    if (status.refusedSince === undefined) warnOfRefusal(logFields(status), why);
    if (now - refusedSince >= REFUSED_FOR_MS) await unfinished.remove(id);
    else await unfinished.postpone(id, now + MAX_PAUSE_MS, { ...status, refusedSince });
  }

  /** Postpones a run without an answer ever longer: it may never have one. */
  async function unanswered(
    id: string,
    status: UnfinishedStatus | undefined,
    reason: string,
  ): Promise<Outcome> {
    const now = Date.now();
    const since = unansweredSince.get(id);
    await unfinished.postpone(id, now + pauseAfter(now - (since ?? now), roundEveryMs));
    if (since !== undefined) return 'unanswered';
    unansweredSince.set(id, now);
    logger.warn(
      { ...(status ? logFields(status) : { id }), reason },
      'build status stays in progress at Bitbucket: the API gives no answer about its run; trying again',
    );
    return 'unanswered';
  }

  /** Rejects only when a status cannot be postponed, since Redis is away. */
  async function check(id: string): Promise<Outcome> {
    let status: UnfinishedStatus | undefined;
    let isLate = false as boolean;
    try {
      const outer = { signal: closing.signal, deadline: Infinity };
      await withTimeout(outer, ONE_MS, async (ctx) => {
        ctx.signal.addEventListener('abort', () => (isLate = true), { once: true });
        status = await unfinished.read(id);
        await finish(id, status, ctx);
      });
      unansweredSince.delete(id);
      return 'done';
    } catch (error) {
      if (closing.signal.aborted || isUnreachable(error)) return 'unreachable';
      const reason = error instanceof Error ? error.message : String(error);
      return unanswered(id, status, isLate ? `no answer within ${ONE_MS} ms` : reason);
    }
  }

  /** @throws ApiError and others when it is not known how the run ended */
  async function finish(
    id: string,
    status: UnfinishedStatus | undefined,
    ctx: DeadlineContext,
  ): Promise<void> {
    if (!status) return unfinished.remove(id);
    const now = Date.now();
    const age = now - status.since;
    if (age >= MAX_AGE_MS) return unfinished.remove(id);
    const called = calledBy(servers, status);
    if (!called && isProjectKey(status.grant)) {
      waiting.add(status.grant, id);
      return unfinished.postpone(id, now + pauseAfter(age, roundEveryMs));
    }
    if (!called || called.server.config.status.disable) return unfinished.remove(id);
    const { server, tokens } = called;
    // The calls that are left are for runs.
    if ((await server.budget.state()).allowed === 'runs')
      return unfinished.postpone(id, now + ASK_AFTER_MS);
    const { project, workflow, number, node: nodeName } = status;
    let run;
    try {
      run = await api.nodeRun({ project, workflow, number, node: nodeName }, ctx.signal);
    } catch (error) {
      if (!isApiError(error) || error.kind !== 'refused') throw error;
      return refused(id, status, { reason: error.message, isForbidden: error.status === 403 });
    }
    if (!run) return refused(id, status, { reason: 'the run has no such node' });
    const { showDetail } = server.config.status;
    const next = buildOf(status, run, { ...deps.options(), showDetail });
    if (!next || !isFinal(next.status)) {
      const pause = afterStart ? AFTER_START_MS : pauseAfter(age, ASK_AFTER_MS);
      return unfinished.postpone(id, now + pause);
    }
    // A status that cannot be sent must not lead every round; sending postpones it again.
    await unfinished.postpone(id, now + pauseAfter(age, roundEveryMs));
    const { grant, since } = status;
    const call = { server, bitbucket: server.connect(tokens), grant, ctx, since };
    try {
      await sendStatus(call, repoFromFullName(status.repository), next);
      logger.info({ ...logFields(status), state: next.status.state }, 'build status finished');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (isCdsError(error) && error.status === 401) await refused(id, status, { reason });
      else logger.warn({ ...logFields(status), reason }, 'build status not finished');
    }
  }

  async function round(): Promise<void> {
    await unfinished.trim();
    const due = afterStart
      ? await unfinished.due(Number.MAX_SAFE_INTEGER, MAX_UNFINISHED)
      : await unfinished.due(Date.now(), MAX_AT_ONCE);
    let inARow = 0;
    for (const id of due) {
      if (closing.signal.aborted || !deps.isOurs()) return;
      // After all others.
      if (afterStart && unansweredSince.has(id)) continue;
      const lock = { ttlMs: LOCK_MS, waitMs: 0, signal: closing.signal };
      const outcome = await withLock(redis, UNFINISHED_LOCK, lock, () => check(id));
      if (outcome === 'unreachable') return;
      inARow = outcome === 'unanswered' ? inARow + 1 : 0;
      if (inARow >= MAX_UNANSWERED) return;
    }
    afterStart = false;
  }

  const loop = createDueLoop({
    async runDue() {
      if (deps.isOurs()) await round();
      return undefined;
    },
    maxSleepMs: roundEveryMs,
    failed(error) {
      // Another replica holds the lock.
      if (!(error instanceof LockTimeoutError) && !closing.signal.aborted)
        logger.warn({ err: error }, 'unfinished build statuses not checked: trying again');
    },
  });

  return {
    /** Checks all unfinished statuses once, then each from time to time. */
    start: loop.start,
    /** Bitbucket accepted this credential: the next round checks what waited for it. */
    accepted(grant: string): void {
      for (const id of waiting.take(grant))
        unfinished.postpone(id, Date.now()).catch((error: unknown) => {
          logger.debug({ err: error }, 'unfinished build status checked later');
        });
    },
    close(): void {
      closing.abort();
      void loop.stop();
    },
  };
}

/** The build that the status is about, as its run is now; undefined for one that is not sent. */
function buildOf(
  status: UnfinishedStatus,
  run: NodeRun,
  options: BuildStatusOptions,
): ReportedBuild | undefined {
  const { project, workflow, node, number, repository, hash, branch, named } = status;
  if (!named)
    return buildOfEvent(
      {
        projectKey: project,
        workflowName: workflow,
        node: {
          ...{ NodeName: node, Status: run.status, Number: number, SubNumber: run.subNumber },
          ...{ Hash: hash, RepositoryFullName: repository, BranchName: branch },
        },
      },
      options,
    );
  const state = buildState(run.status);
  if (state === undefined) return undefined;
  return {
    repository,
    hash,
    status: { ...named, state, description: describeBuild(node, run.status) },
    run: { number, subNumber: 0, restarts: false },
    node: { project, workflow, number, node, branch },
  };
}

/** Milliseconds until the next check of a state that has lasted `ms`. */
function pauseAfter(ms: number, least: number): number {
  return Math.min(Math.max(ms, least), MAX_PAUSE_MS);
}

/** Whether the API could not be connected to. */
function isUnreachable(error: unknown): boolean {
  return isApiError(error) && error.status === undefined && !error.mayBeDone;
}

function logFields({ project, workflow, number, node, repository, hash }: UnfinishedStatus) {
  return { project, workflow, run: number, node, repository, hash };
}

/** The server of a status and tokens to send it with; undefined when it is not known. */
function calledBy(
  servers: Servers,
  { server: name, grant }: UnfinishedStatus,
): { server: BitbucketServer; tokens: AccessTokenSource } | undefined {
  if (isProjectKey(grant)) {
    const found = servers.ofProjects.find(grant);
    return found && { server: found.server, tokens: found.credential };
  }
  const server = servers.configured.get(name);
  return server && { server, tokens: server.grants.tokensOf(grant) };
}
