import type { Logger } from '@cds/service';
import { CdsError } from '@cds/wire';
import type { GrantedCall } from '../servers/granted-route';
import { fullNameOf } from '../http/repository-ref';
import { repositoryKey, type EventLog, type LastPoll, type RepositoryEvent } from './event-log';
import {
  confirmGone,
  readRepositoryState,
  type RepositoryState,
  type Snapshot,
  snapshotOf,
} from './repository-state';

/** Digits of the hashes of pull requests, where Bitbucket does not return the whole. */
const SHORT_HASH = 12;
const MIN_DELAY_SECONDS = 60;
/** Polls of a repository take at most 120 of Bitbucket's 1,000 calls an hour. */
const SECONDS_PER_CALL = 30;

export type FindEvents = ReturnType<typeof createFindEvents>;

/**
 * Polls a repository with the caller's own grant, stores its changes since the last poll by any
 * caller, and returns the events since `sinceSeconds`. The first poll finds none.
 * @throws CdsError 503 while Redis, which holds the last snapshot, is away
 */
export function createFindEvents({ log, logger }: { log: EventLog; logger: Logger }) {
  return async (call: GrantedCall, sinceSeconds: number) => {
    const { repo } = call;
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
      /** Seconds until the next poll is worth its calls. */
      delaySeconds: Math.max(MIN_DELAY_SECONDS, now.calls * SECONDS_PER_CALL),
    };
  };
}

/**
 * The events between two polls: one for all pushes to a branch, none for a branch that came and
 * went.
 * @param gone refs that are confirmed to be deleted; others that are missing in `now` are ignored
 */
function compareStates(
  before: Snapshot,
  now: RepositoryState,
  gone: ReadonlySet<string>,
): RepositoryEvent[] {
  const events: RepositoryEvent[] = [];
  for (const [ref, commit] of now.refs) {
    const known = before.refs[ref];
    if (known === undefined) events.push({ kind: 'create', ref, commit });
    else if (known !== commit.id) events.push({ kind: 'push', ref, commit });
  }
  for (const ref of gone) events.push({ kind: 'delete', ref });
  for (const [id, pullRequest] of now.pullRequests) {
    const known = before.pullRequests[id];
    const head = pullRequest.head.branch.latest_commit;
    if (known === undefined) events.push({ kind: 'pullrequest', action: 'opened', pullRequest });
    else if (known.slice(0, SHORT_HASH) !== head.slice(0, SHORT_HASH))
      events.push({ kind: 'pullrequest', action: 'edited', pullRequest });
  }
  return events;
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
function withUnconfirmed({ snapshot }: LastPoll, now: RepositoryState, gone: ReadonlySet<string>) {
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
