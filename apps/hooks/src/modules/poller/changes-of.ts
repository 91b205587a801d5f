import type { PolledEvents, PolledPush } from '@cds/api-client';
import { BRANCH_PREFIX, type PolledChange, refOf } from '@cds/hooks-store';

/**
 * The changes that hooks of this type act on. A poller runs for branches, tags and the heads of
 * pull requests; a repository webhook for what a webhook would have delivered.
 *
 * @param seenAfter id of the newest execution of the hook when the poll began
 */
export function changesOf(
  type: 'RepoPoller' | 'RepoWebHook',
  events: PolledEvents,
  seenAfter: number,
): PolledChange[] {
  const pushes = events.pushes.map((push) => changeOf('push', push, seenAfter));
  if (type === 'RepoPoller') {
    const heads = events.pullRequests.map((push) => changeOf('pullrequest', push, seenAfter));
    return [...pushes, ...heads];
  }
  const deletions = events.deletions
    .map(refOf)
    .filter((ref) => ref.startsWith(BRANCH_PREFIX))
    .map((ref): PolledChange => ({
      kind: 'delete',
      ref,
      hash: '',
      event: '',
      seen_after: seenAfter,
    }));
  return [...deletions, ...pushes];
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
