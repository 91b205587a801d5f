import { randomUUID } from 'node:crypto';
import type { PolledEvents } from '@cds/api-client';
import {
  NEW_STATE,
  type PolledChange,
  DEFAULT_DELAY_MS,
  pollDelayMs,
  REFUSED_DELAY_MS,
  type EndedPoll,
  type TakenPoll,
  changeName,
  comparedHash,
  type RefChange,
} from '@cds/hooks-store';
import type { PollResult } from '../../queue/work-metrics';
import type { Resources } from '../../resources';
import { answeredByRedis } from '@cds/redis';
import { askForEvents, polledHook } from './ask-for-events';
import { changesOf } from './changes-of';

export interface PolledOutcome extends EndedPoll {
  result: PollResult;
  /** New changes. */
  found: number;
}

/** Changes that are stored concurrently. */
const MAX_CONCURRENT = 50;

/**
 * Polls the repository of a hook and stores each new change as an execution. When it resolves, all
 * changes are in Redis. A poll that broke off is repeated from the same time on.
 *
 * @throws what Redis throws; the reason of `signal`
 */
export function createPollHook(
  resources: Pick<
    Resources,
    'api' | 'callApi' | 'config' | 'logger' | 'now' | 'queues' | 'stores' | 'timing'
  >,
) {
  const { config, logger, now, queues, stores, timing } = resources;

  async function accept(poll: TakenPoll, change: PolledChange, requestId: string) {
    const acceptance = await answeredByRedis(() =>
      stores.deliveries.accept({
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
    queues.hooks.ensureSoon(poll.uuid);
    logger.info({ requestId, hook: poll.uuid, changes: found }, 'poll found changes');
    return found;
  }

  return async function pollHook(poll: TakenPoll, signal: AbortSignal): Promise<PolledOutcome> {
    const hook = polledHook(poll.uuid, poll.config);
    if (typeof hook === 'string') {
      return { result: 'refused', found: 0, pauseMs: REFUSED_DELAY_MS, error: hook };
    }
    const answer = await askForEvents(resources, hook, poll.since, signal);
    if (answer.result !== 'ok') {
      const ms = answer.result === 'unavailable' ? DEFAULT_DELAY_MS : REFUSED_DELAY_MS;
      return { ...answer, found: 0, pauseMs: delay(poll, ms) };
    }
    const { events } = answer;
    if (events.unreadable > 0)
      logger.warn(
        { hook: poll.uuid, events: events.unreadable },
        'unreadable events of a poll are left out: too many, too large or unknown',
      );
    const found = await acceptAll(poll, events);
    const pauseMs = pollDelayMs(events.intervalSeconds, leastSeconds(poll), timing.pollMs);
    return { result: 'ok', found, pauseMs };
  };

  /** Between two polls. */
  function leastSeconds({ type }: TakenPoll): number {
    return type === 'RepoWebHook' ? config.reconcile.intervalSeconds : 0;
  }

  function delay(poll: TakenPoll, ms: number): number {
    const least = timing.pollMs ?? 0;
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
