import type { PolledEvents, PolledPush } from '@cds/api-client';
import type { PolledChange } from '@cds/hooks-store';

const BRANCH = 'refs/heads/';
const TAG = 'refs/tags/';
/** As many digits as Bitbucket gives at least. */
const COMPARED_DIGITS = 12;

/** What names a change: two that have the same name are one, whether a webhook told of it or a poll found it. */
export function changeName(ref: string, hash: string): string {
  return `${ref}@${hash === '' ? 'deleted' : comparedHash(hash)}`;
}

/** As much of a hash as is compared. */
export function comparedHash(hash: string): string {
  return hash.slice(0, COMPARED_DIGITS).toLowerCase();
}

export function branchRef(branch = ''): string {
  return BRANCH + branch;
}

export function tagRef(tag = ''): string {
  return TAG + tag;
}

/** The name in full: CDS knows branches without `refs/heads/`, and tags by their whole name. */
export function refOf(name: string): string {
  return name.startsWith(BRANCH) || name.startsWith(TAG) ? name : BRANCH + name;
}

/** The branch or tag without what stands before its name. */
export function shortRef(ref: string): { branch: string } | { tag: string } {
  return ref.startsWith(TAG)
    ? { tag: ref.slice(TAG.length) }
    : { branch: ref.startsWith(BRANCH) ? ref.slice(BRANCH.length) : ref };
}

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
    const heads = events.pullRequests.map((push) => changeOf('pullrequest', push, seenAfter));
    return [...pushes, ...heads];
  }
  const gone = events.deletions
    .map(refOf)
    .filter((ref) => ref.startsWith(BRANCH))
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
