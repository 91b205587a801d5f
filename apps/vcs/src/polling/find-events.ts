import type { Logger } from '@cds/service';
import { CdsError } from '@cds/wire';
import type { GrantedCall } from '../servers/granted-route';
import { fullNameOf, repoOf } from '../http/repository-ref';
import { compareStates } from './compare-states';
import { repositoryKey, type EventLog, type Seen } from './event-log';
import type { RepositoryEvent } from './repository-event';
import { confirmGone, readRepositoryState, snapshotOf } from './repository-state';

const MIN_DELAY_SECONDS = 60;
/**
 * A repository is looked at so seldom that its looks take no more than 120 of Bitbucket's 1,000
 * calls an hour.
 */
const SECONDS_PER_CALL = 30;

export interface FoundEvents {
  events: RepositoryEvent[];
  /** Seconds until another look is worth its calls. */
  delaySeconds: number;
}

export type FindEvents = (call: GrantedCall, sinceSeconds: number) => Promise<FoundEvents>;

/**
 * Looks at a repository with the caller's own grant, keeps what changed since the last look of
 * anybody, and tells what happened since `sinceSeconds`. The first look finds nothing: there is
 * nothing to compare with.
 *
 * @throws CdsError 503 when Redis, which remembers the last look, does not answer
 */
export function createFindEvents(deps: { log: EventLog; logger: Logger }): FindEvents {
  const { log, logger } = deps;
  return async (call, sinceSeconds) => {
    const repo = repoOf(call.req);
    const key = repositoryKey(call.server.config.name, fullNameOf(repo));
    // Read first: what another replica keeps meanwhile makes this look void, not its own older one.
    const seen = await withRedis(() => log.read(key));
    const now = await readRepositoryState(repo, call);
    const gone = seen.snapshot
      ? await confirmGone(seen.snapshot, now, repo, call, logger)
      : new Set<string>();
    const events = seen.snapshot ? compareStates(seen.snapshot, now, gone) : [];
    await withRedis(() => log.record(key, seen, withUnconfirmed(seen, now, gone), events));
    return {
      events: withoutDeletionOf(now.refs, await withRedis(() => log.since(key, sinceSeconds))),
      delaySeconds: Math.max(MIN_DELAY_SECONDS, now.calls * SECONDS_PER_CALL),
    };
  };
}

/**
 * A branch that counts as deleted loses its runs, so none does that this look saw: another look
 * that began before may be kept meanwhile. Were it deleted after all, the next look would tell.
 *
 * @returns the events without those of such a ref up to its last deletion
 */
function withoutDeletionOf(
  seen: ReadonlyMap<string, unknown>,
  events: RepositoryEvent[],
): RepositoryEvent[] {
  const untilDeleted = new Map(
    events.flatMap((event, index) =>
      event.kind === 'delete' && seen.has(event.ref) ? [[event.ref, index] as const] : [],
    ),
  );
  return events.filter(
    (event, index) => event.kind === 'pullrequest' || index > (untilDeleted.get(event.ref) ?? -1),
  );
}

/** Refs that are missing in the list, but not for sure, stay as they were. */
function withUnconfirmed(
  { snapshot }: Seen,
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
      from: 'what was seen of the repository before is kept in Redis, and Redis does not answer: bring it back, nothing is lost meanwhile',
      cause,
    });
  }
}
