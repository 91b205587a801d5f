import { randomUUID } from 'node:crypto';
import type { CdsApiClient, PolledEvents } from '@cds/api-client';
import {
  type Clock,
  NEW_STATE,
  type PolledChange,
  type DeliveryStore,
  DEFAULT_DELAY_MS,
  pollDelayMs,
  REFUSED_DELAY_MS,
  type EndedPoll,
  type TakenPoll,
  changeName,
  comparedHash,
  type RefChange,
} from '@cds/hooks-store';
import type { Logger } from '@cds/service';
import type { ApiCaller } from '../../queue/call-api';
import type { PollResult } from '../../queue/work-metrics';
import { answeredByRedis } from '@cds/redis';
import { changesOf } from './changes-of';
import { polledHook } from './polled-hook';
import { isVcsReached } from './vcs-reached';

export interface PolledOutcome extends EndedPoll {
  result: PollResult;
  /** New changes. */
  found: number;
}

export interface PollHookDeps {
  api: Pick<CdsApiClient, 'pollVcsEvents' | 'vcsServers'>;
  callApi: ApiCaller;
  store: Pick<DeliveryStore, 'accept'>;
  /** Called for a hook with new pending executions. */
  workArrived: (uuid: string) => void;
  logger: Logger;
  now: Clock;
  /** The least time between two polls of a repository webhook. */
  reconcileSeconds: number;
  shortestDelayMs?: number | undefined;
}

/** Changes that are stored concurrently. */
const MAX_CONCURRENT = 50;

const VCS_AWAY = 'the API reaches no vcs, without which no repository can be polled';

/** Why a server is not polled, for the operator. */
export function notPolled(vcsServer: string): string {
  return `the VCS server ${JSON.stringify(vcsServer.slice(0, 100))} does not offer polling: for Bitbucket Cloud set polling = true in its section of vcs; other hosts are not polled`;
}

/**
 * Polls the repository of a hook and stores each new change as an execution. When it resolves, all
 * changes are in Redis. A poll that broke off is repeated from the same time on.
 *
 * @throws what Redis throws; the reason of `signal`
 */
export function createPollHook(deps: PollHookDeps) {
  const { api, callApi, store, workArrived, logger, now } = deps;

  async function accept(poll: TakenPoll, change: PolledChange, requestId: string) {
    const acceptance = await answeredByRedis(() =>
      store.accept({
        uuid: poll.uuid,
        // No request came: the store checks the method of a repository webhook.
        method: poll.method,
        validatedFor: poll.type,
        validation: 'accept',
        signature: 'not-needed',
        requestUuid: '',
        change: nameOf(poll, change),
        ...(poll.type === 'RepoWebHook' ? { refChanges: [refChange(change)] } : {}),
        seenAfter: change.seen_after,
        acceptedAt: now(),
        requestId,
        received: { poll: change },
        ignored: NEW_STATE,
        duplicate: NEW_STATE,
      }),
    );
    if (acceptance.kind === 'accepted' || acceptance.kind === 'duplicate')
      return acceptance.kind === 'accepted';
    throw new Error('the task was changed or removed meanwhile');
  }

  async function acceptAll(poll: TakenPoll, events: PolledEvents): Promise<number> {
    const requestId = randomUUID();
    const changes = changesOf(poll.type, events, poll.lastId);
    let found = 0;
    for (let i = 0; i < changes.length; i += MAX_CONCURRENT) {
      const some = changes.slice(i, i + MAX_CONCURRENT);
      const accepted = await Promise.all(some.map((change) => accept(poll, change, requestId)));
      found += accepted.filter(Boolean).length;
    }
    if (found === 0) return 0;
    workArrived(poll.uuid);
    logger.info({ requestId, hook: poll.uuid, changes: found }, 'poll found changes');
    return found;
  }

  return async function pollHook(poll: TakenPoll, signal: AbortSignal): Promise<PolledOutcome> {
    const hook = polledHook(poll.uuid, poll.config);
    if (typeof hook === 'string') {
      return { result: 'refused', found: 0, pauseMs: REFUSED_DELAY_MS, error: hook };
    }
    const called = await callApi(
      () => api.pollVcsEvents(hook, poll.since, signal),
      () => Promise.resolve(!signal.aborted),
    );
    signal.throwIfAborted();
    if (!called || !called.ok) {
      const failure = called?.failure;
      const isNo = failure?.kind === 'refused' && (failure.status ?? 400) < 500;
      return {
        result: isNo ? 'refused' : 'unavailable',
        found: 0,
        pauseMs: delay(poll, isNo ? REFUSED_DELAY_MS : DEFAULT_DELAY_MS),
        error: failure?.message ?? 'given up',
      };
    }
    const events = called.value;
    if (!events && !(await isVcsReached({ api, callApi }, signal))) {
      const pauseMs = delay(poll, DEFAULT_DELAY_MS);
      return { result: 'unavailable', found: 0, pauseMs, error: VCS_AWAY };
    }
    if (!events) {
      const pauseMs = delay(poll, REFUSED_DELAY_MS);
      return { result: 'unsupported', found: 0, pauseMs, error: notPolled(hook.vcsServer) };
    }
    if (events.unreadable > 0)
      logger.warn(
        { hook: poll.uuid, events: events.unreadable },
        'unreadable events of a poll are left out: too many, too large or unknown',
      );
    const found = await acceptAll(poll, events);
    const pauseMs = pollDelayMs(events.intervalSeconds, leastSeconds(poll), deps.shortestDelayMs);
    return { result: 'ok', found, pauseMs };
  };

  function leastSeconds({ type }: TakenPoll): number {
    return type === 'RepoWebHook' ? deps.reconcileSeconds : 0;
  }

  function delay(poll: TakenPoll, ms: number): number {
    const least = deps.shortestDelayMs ?? 0;
    return Math.max(least > 0 ? Math.min(ms, least) : ms, leastSeconds(poll) * 1_000);
  }
}

export type PollHook = ReturnType<typeof createPollHook>;

function refChange({ ref, hash }: PolledChange): RefChange {
  return { index: 0, ref, before: '?', after: comparedHash(hash) };
}

/** The head of a pull request may be in another repository. */
function nameOf({ config }: TakenPoll, { kind, ref, hash, event }: PolledChange): string {
  const name = changeName(ref, hash);
  if (kind !== 'pullrequest') return name;
  const { repo } = JSON.parse(event) as { repo: string };
  return repo === '' || repo === config.repoFullName?.value ? name : `${repo} ${name}`;
}
