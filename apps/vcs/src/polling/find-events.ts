import type { Logger } from '@cds/service';
import { CdsError } from '@cds/wire';
import type { GrantedCall } from '../servers/granted-route';
import { fullNameOf, repoOf } from '../http/repository-ref';
import { compareStates } from './compare-states';
import { repositoryKey, type EventLog, type LastPoll } from './event-log';
import type { RepositoryEvent } from './repository-event';
import { confirmGone, readRepositoryState, snapshotOf } from './repository-state';

const MIN_DELAY_SECONDS = 60;
/** Polls of a repository take at most 120 of Bitbucket's 1,000 calls an hour. */
const SECONDS_PER_CALL = 30;

export interface FoundEvents {
  events: RepositoryEvent[];
  /** Seconds until the next poll is worth its calls. */
  delaySeconds: number;
}

export type FindEvents = (call: GrantedCall, sinceSeconds: number) => Promise<FoundEvents>;

/**
 * Polls a repository with the caller's own grant, stores its changes since the last poll by any
 * caller, and returns the events since `sinceSeconds`. The first poll finds none.
 * @throws CdsError 503 while Redis, which holds the last snapshot, is away
 */
export function createFindEvents(deps: { log: EventLog; logger: Logger }): FindEvents {
  const { log, logger } = deps;
  return async (call, sinceSeconds) => {
    const repo = repoOf(call.req);
    const key = repositoryKey(call.server.config.name, fullNameOf(repo));
    // Read first: a snapshot that another replica stores meanwhile makes this poll void.
    const last = await withRedis(() => log.read(key));
    const now = await readRepositoryState(repo, call);
    const gone = last.snapshot
      ? await confirmGone(last.snapshot, now, repo, call, logger)
      : new Set<string>();
    const events = last.snapshot ? compareStates(last.snapshot, now, gone) : [];
    await withRedis(() => log.record(key, last, withUnconfirmed(last, now, gone), events));
    return {
      events: withoutDeletionOf(now.refs, await withRedis(() => log.since(key, sinceSeconds))),
      delaySeconds: Math.max(MIN_DELAY_SECONDS, now.calls * SECONDS_PER_CALL),
    };
  };
}

/**
 * Drops the events of a ref that this poll saw up to its last deletion: an older poll may be stored
 * later, and a deleted branch loses its runs. The next poll finds a real deletion.
 */
function withoutDeletionOf(
  found: ReadonlyMap<string, unknown>,
  events: RepositoryEvent[],
): RepositoryEvent[] {
  const untilDeleted = new Map(
    events.flatMap((event, index) =>
      event.kind === 'delete' && found.has(event.ref) ? [[event.ref, index] as const] : [],
    ),
  );
  return events.filter(
    (event, index) => event.kind === 'pullrequest' || index > (untilDeleted.get(event.ref) ?? -1),
  );
}

/** Refs whose deletion is not confirmed stay in the snapshot. */
function withUnconfirmed(
  { snapshot }: LastPoll,
  now: Parameters<typeof snapshotOf>[0],
  gone: ReadonlySet<string>,
) {
  const taken = snapshotOf(now);
  for (const [ref, hash] of Object.entries(snapshot?.refs ?? {}))
    if (!gone.has(ref)) taken.refs[ref] ??= hash;
  return taken;
}

async function withRedis<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new CdsError('unavailable', {
      from: 'the last state of the repository is stored in Redis, and Redis does not answer: bring it back, nothing is lost meanwhile',
      cause,
    });
  }
}
