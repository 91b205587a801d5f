import type { VcsBranch, VcsDeleteEvent, VcsPullRequestEvent, VcsPushEvent } from '@cds/wire';
import { toVcsBranch } from '../repositories/vcs-branch';
import type { RepositoryEvent } from './event-log';

export const EVENT_FILTERS = ['push', 'create', 'delete', 'pullrequests'] as const;

const BRANCH = 'refs/heads/';

/** The parts of a repository that the answers contain. */
export interface Repository {
  fullName: string;
  /** Undefined in an empty repository. */
  mainBranch: string | undefined;
}

/**
 * The events of one kind in CDS's format: the last of each ref or pull request, none for a ref that
 * was deleted after it. A new branch is also a push to it.
 */
export function filterEvents(
  events: readonly RepositoryEvent[],
  filter: (typeof EVENT_FILTERS)[number],
  repository: Repository,
): (VcsPushEvent | VcsDeleteEvent | VcsPullRequestEvent)[] {
  const last = lastOfEach(events);
  const pushed = last.filter((event) => 'commit' in event);
  switch (filter) {
    case 'push':
      return pushed.map((event) => toPush(event, repository));
    case 'create': {
      const created = new Set(
        events.flatMap((event) => (event.kind === 'create' ? [event.ref] : [])),
      );
      return pushed.filter(({ ref }) => created.has(ref)).map((event) => toPush(event, repository));
    }
    case 'delete':
      return last
        .filter((event) => event.kind === 'delete')
        .map(({ ref }) => ({ branch: toBranch(ref, '', repository) }));
    case 'pullrequests':
      return last.filter((event) => event.kind === 'pullrequest').map(toPullRequest);
  }
}

function lastOfEach(events: readonly RepositoryEvent[]): RepositoryEvent[] {
  const last = new Map<string, RepositoryEvent>();
  for (const event of events) {
    const subject = event.kind === 'pullrequest' ? `#${event.pullRequest.id}` : event.ref;
    // Deleted first, so that the map is in the order of the last events.
    last.delete(subject);
    last.set(subject, event);
  }
  return [...last.values()];
}

function toPush(
  { ref, commit }: Extract<RepositoryEvent, { kind: 'create' | 'push' }>,
  repository: Repository,
): VcsPushEvent {
  return {
    repo: repository.fullName,
    branch: toBranch(ref, commit.id, repository),
    commit,
    clone_url: '',
  };
}

/** A tag keeps its whole name, by which `hooks` distinguishes it from a branch. */
function toBranch(ref: string, hash: string, { mainBranch }: Repository): VcsBranch {
  const name = ref.startsWith(BRANCH) ? ref.slice(BRANCH.length) : ref;
  return toVcsBranch({ name, hash, parents: null }, mainBranch);
}

function toPullRequest({
  action,
  pullRequest,
}: Extract<RepositoryEvent, { kind: 'pullrequest' }>): VcsPullRequestEvent {
  const { url, user, head, base } = pullRequest;
  return { action, url, repo: head.repo, user, head, base, branch: head.branch };
}
