import { isBitbucketError, type RepoRef } from '@cds/bitbucket';
import { withTimeout } from '@cds/network';
import { vcsKeys } from '@cds/redis';
import type { Logger } from '@cds/service';
import type { GrantedCall } from '../servers/granted-route';
import { fullNameOf } from '../http/repository-ref';
import type { SendResult } from '../monitoring/vcs-metrics';
import type { ReportedBuild, ReportedNode } from './reported-build';
import type { RunExclusive } from '../redis/run-exclusive';
import type { SentStatuses } from './sent-statuses';
import { isFinal, isSameRun, type NextStatus, sentAfter, shouldSend } from './status-order';
import type { UnfinishedStatuses, UnfinishedStatus } from './unfinished-statuses';

/** The time limit of one status; the lock on its key outlives it. */
export const SEND_MS = 25_000;
/** The silence about a build after which the API is asked how it ended. */
export const ASK_AFTER_MS = 10 * 60_000;
/** The first pause before a final status is sent again that Bitbucket did not take. */
const SEND_AGAIN_MS = 60_000;
const MAX_PAUSE_MS = 30 * 60_000;
/** Answers that another try does not change. */
const REFUSALS = new Set([400, 403, 404]);

/** The call with which a status is sent. */
export interface StatusCall extends Pick<GrantedCall, 'server' | 'bitbucket' | 'grant' | 'ctx'> {
  /** When the status was sent first, or could have been (ms); now when not given. */
  since?: number;
}

export type SendStatus = (call: StatusCall, repo: RepoRef, build: ReportedBuild) => Promise<void>;

/**
 * Sends a status unless Bitbucket has it, or a newer one. It is stored after the answer, so that a
 * failed one is sent again when its event is. One that is not final is recorded as unfinished
 * before, where the API can be asked for its end: CDS does not repeat the event of it.
 */
export function createSendStatus(deps: {
  sent: SentStatuses;
  unfinished: UnfinishedStatuses;
  runExclusive: RunExclusive;
  logger: Logger;
  onResult(result: SendResult): void;
}): SendStatus {
  const { sent, unfinished, runExclusive, logger, onResult } = deps;

  async function send(call: StatusCall, repo: RepoRef, build: ReportedBuild): Promise<SendResult> {
    const { hash, status, node } = build;
    const repository = fullNameOf(repo);
    const { key } = status;
    const id = vcsKeys.sentStatus(call.server.config.name, repository, hash, key);
    return runExclusive(id, call.ctx.signal, async () => {
      const last = await sent.read(id);
      const now = Date.now();
      const next = nextStatus(build, now);
      if (!shouldSend(last, next)) {
        logger.debug({ last, next, name: status.name }, 'build status not sent: old or known');
        if (isFinal(next) && last && isSameRun(last, next)) await unfinished.remove(id);
        return 'known';
      }
      const since = call.since ?? now;
      const record = node && recordOf(call, repo, build, node, since);
      // Before Bitbucket has it: a process that dies in between must not leave it there for good.
      if (record && !isFinal(next)) await unfinished.save(id, record, now + ASK_AFTER_MS);
      try {
        await withTimeout(call.ctx, SEND_MS, (ctx) =>
          call.bitbucket.postStatus(repo, hash, status, ctx),
        );
      } catch (error) {
        if (isRefusal(error)) await unfinished.remove(id);
        else if (record && isFinal(next))
          await unfinished.save(id, record, now + sendAgainAfter(since));
        throw error;
      }
      await Promise.all([
        sent.write({ id, repository, hash, key }, sentAfter(last, next)),
        isFinal(next) && unfinished.remove(id),
      ]);
      return 'sent';
    });
  }

  return async (...args) => {
    try {
      onResult(await send(...args));
    } catch (error) {
      onResult('failed');
      throw error;
    }
  };
}

function isRefusal(error: unknown): boolean {
  return isBitbucketError(error) && error.status !== undefined && REFUSALS.has(error.status);
}

function sendAgainAfter(since: number): number {
  return Math.min(Math.max(Date.now() - since, SEND_AGAIN_MS), MAX_PAUSE_MS);
}

function nextStatus({ run, status }: ReportedBuild, at: number): NextStatus {
  const { number, subNumber, name, restarts } = run;
  const { state, description, url } = status;
  return { number, subNumber, run: name, restarts, state, description, url, at };
}

function recordOf(
  call: StatusCall,
  repo: RepoRef,
  { hash, status, run }: ReportedBuild,
  node: ReportedNode,
  since: number,
): UnfinishedStatus {
  const { key, name, url } = status;
  return {
    server: call.server.config.name,
    repository: fullNameOf(repo),
    hash,
    ...node,
    grant: call.grant,
    since,
    // CDS 0.54 and later names the status itself.
    ...(run.restarts !== undefined && { named: { key, name, url } }),
  };
}
