import {
  type BitbucketError,
  isBitbucketError,
  type BbPullRequest,
  type BbRef,
  type RepoRef,
} from '@cds/bitbucket';
import type { Logger } from '@cds/service';
import type { VcsCommit, VcsPullRequest } from '@cds/wire';
import { z } from 'zod';
import type { GrantedCall } from '../servers/granted-route';
import { fullNameOf } from '../http/repository-ref';
import { toVcsCommit } from '../commits/vcs-commit';
import { toVcsPullRequest } from '../pull-requests/vcs-pull-request';

/**
 * What is kept of a repository between two looks: refs in full and pull requests by id, each with a
 * hash.
 */
export const snapshotSchema = z.object({
  refs: z.record(z.string(), z.string()),
  pullRequests: z.record(z.string(), z.string()),
});
export type Snapshot = z.infer<typeof snapshotSchema>;

/** A repository as it is now. */
export interface RepositoryState {
  /** By `refs/heads/NAME` and `refs/tags/NAME`. */
  refs: Map<string, VcsCommit>;
  /** The open ones. */
  pullRequests: Map<string, VcsPullRequest>;
  /** How many pages that took, about. */
  calls: number;
}

const FOLDERS = { branch: 'refs/heads/', tag: 'refs/tags/' } as const;
/**
 * A ref that is missing in the list is asked for by itself; of more than so many the rest waits for
 * the next look.
 */
const MAX_CONFIRMED = 20;
/** CDS shows the first lines of a message; events are kept, and sent three times. */
const MESSAGE_CHARACTERS = 2_000;

type Asking = Pick<GrantedCall, 'bitbucket' | 'current' | 'ctx'>;

/** Asks Bitbucket for all refs and all open pull requests. */
export async function readRepositoryState(
  repo: RepoRef,
  { bitbucket, current, ctx }: Asking,
): Promise<RepositoryState> {
  // First, since it is refused when the calls of the hour are needed for runs. A list from memory
  // would show old states as new.
  const refs = await bitbucket.listRefs(repo, ctx);
  const pullRequests = await current.listPullRequests(repo, {}, ctx);
  const heads = new Map(refs.map((ref) => [FOLDERS[ref.type] + ref.name, commitOf(ref)]));
  return {
    refs: heads,
    pullRequests: new Map(
      pullRequests.map((one) => [String(one.id), withCommit(one, repo, heads)]),
    ),
    calls: pages(refs.length, 100) + pages(pullRequests.length, 50),
  };
}

/** What is to be remembered of a state. */
export function snapshotOf({ refs, pullRequests }: RepositoryState): Snapshot {
  return {
    refs: Object.fromEntries([...refs].map(([ref, { id }]) => [ref, id])),
    pullRequests: Object.fromEntries(
      [...pullRequests].map(([id, { head }]) => [id, head.branch.latest_commit]),
    ),
  };
}

/**
 * Which of the refs of `before` are really gone. A list of several pages can miss a ref while
 * others come and go, and a branch that counts as deleted loses its runs: so each is asked for by
 * itself.
 *
 * @returns refs in full; those left out are there after all, or were not asked for yet
 */
export async function confirmGone(
  before: Snapshot,
  now: RepositoryState,
  repo: RepoRef,
  { current, ctx }: Asking,
  logger: Logger,
): Promise<Set<string>> {
  const missing = Object.keys(before.refs).filter((ref) => !now.refs.has(ref));
  const gone = new Set<string>();
  for (const ref of missing.slice(0, MAX_CONFIRMED)) {
    const isTag = ref.startsWith(FOLDERS.tag);
    const name = ref.slice(FOLDERS[isTag ? 'tag' : 'branch'].length);
    try {
      await (isTag ? current.getTag(repo, name, ctx) : current.getBranch(repo, name, ctx));
    } catch (error) {
      if (!isBitbucketError(error)) throw error;
      if (error.status === 404) gone.add(ref);
      else if (isOfThisRef(error))
        logger.warn(
          { repository: fullNameOf(repo), ref, problem: error.bitbucketMessage },
          'a ref of a repository cannot be read, it is taken to be there',
        );
      else throw error;
    }
  }
  return gone;
}

/**
 * Whether the other refs may be read all the same: this one is refused, or its answer makes no
 * sense.
 */
function isOfThisRef({ kind, status }: BitbucketError): boolean {
  return kind === 'invalid-answer' || status === 400 || status === 410;
}

function commitOf({ commit }: BbRef): VcsCommit {
  const message = commit.message.slice(0, MESSAGE_CHARACTERS);
  return toVcsCommit({ ...commit, message, parents: [] });
}

/**
 * The list of pull requests knows hashes only; the commit of a branch of this repository is known
 * from its ref.
 */
function withCommit(
  one: BbPullRequest,
  repo: RepoRef,
  heads: ReadonlyMap<string, VcsCommit>,
): VcsPullRequest {
  const pullRequest = toVcsPullRequest(one);
  for (const end of [pullRequest.head, pullRequest.base]) {
    const commit = heads.get(FOLDERS.branch + end.branch.display_id);
    if (end.repo === fullNameOf(repo) && commit?.id === end.commit.id) end.commit = commit;
  }
  return pullRequest;
}

function pages(values: number, pagelen: number): number {
  return Math.max(1, Math.ceil(values / pagelen));
}
