import type { RepositoryEvent } from './repository-event';
import type { RepositoryState, Snapshot } from './repository-state';

/** Digits of the hashes of pull requests, where Bitbucket does not return the whole. */
const SHORT_HASH = 12;

/**
 * The events between two polls: one for all pushes to a branch, none for a branch that came and
 * went.
 * @param gone refs that are confirmed to be deleted; others that are missing in `now` are ignored
 */
export function compareStates(
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
