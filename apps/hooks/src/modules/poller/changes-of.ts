import type { PolledEvents, PolledPush } from '@cds/api-client';
import { BRANCH_PREFIX, type PolledChange, refOf } from '@cds/hooks-store';

/**
 * What the API told of a repository, as far as hooks of this type act on it. A poller runs for branches, tags and the heads of
 * pull requests; a repository webhook that missed something for what its webhook would have told of.
 *
 * @param seenAfter id of the newest execution of the hook when the look began
 */
export function changesOf(
  type: 'RepoPoller' | 'RepoWebHook',
  events: PolledEvents,
  seenAfter: number,
): PolledChange[] {
  const pushes = events.pushes.map((push) => changeOf('push', push, seenAfter));
  if (type === 'RepoPoller') {
    const waitingSince = events.pullRequests.map((push) =>
      changeOf('pullrequest', push, seenAfter),
    );
    return [...pushes, ...waitingSince];
  }
  const gone = events.deletions
    .map(refOf)
    .filter((ref) => ref.startsWith(BRANCH_PREFIX))
    .map((ref): PolledChange => ({
      kind: 'delete',
      ref,
      hash: '',
      event: '',
      seen_after: seenAfter,
    }));
  return [...gone, ...pushes];
}

function changeOf(kind: 'push' | 'pullrequest', push: PolledPush, seenAfter: number): PolledChange {
  const { branch, commit } = push;
  return {
    kind,
    ref: refOf(branch.display_id || branch.id),
    hash: commit.id,
    event: JSON.stringify(push),
    seen_after: seenAfter,
  };
}
