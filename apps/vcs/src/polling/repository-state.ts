import {
  type BitbucketError,
  isBitbucketError,
  type BbPullRequest,
  type BbRef,
  type RepoRef,
} from '@cds/bitbucket';
import type { Logger } from '@cds/service';
import type { VcsCommit, VcsPullRequest } from '@cds/wire';
import * as z from 'zod';
import type { GrantedCall } from '../servers/granted-route';
import { fullNameOf } from '../http/repository-ref';
import { toVcsCommit } from '../commits/vcs-commit';
import { toVcsPullRequest } from '../pull-requests/vcs-pull-request';

/** The stored state of a repository: refs in full and pull requests by id, each with a hash. */
export const snapshotSchema = z.object({
  refs: z.record(z.string(), z.string()),
  pullRequests: z.record(z.string(), z.string()),
});
export type Snapshot = z.infer<typeof snapshotSchema>;

/** A repository as it is now. */
export interface RepositoryState {
  /** By `refs/heads/NAME` and `refs/tags/NAME`. */
  refs: Map<string, VcsCommit>;
  /** By id, open ones only. */
  pullRequests: Map<string, VcsPullRequest>;
  /** The calls that reading took, about. */
  calls: number;
}

const FOLDERS = { branch: 'refs/heads/', tag: 'refs/tags/' } as const;
/** Missing refs that are confirmed in one poll; further ones wait for the next poll. */
const MAX_CONFIRMED = 20;
/** CDS shows the first lines of a message; events are stored, and sent three times. */
const MESSAGE_CHARACTERS = 2_000;

type Asking = Pick<GrantedCall, 'bitbucket' | 'current' | 'ctx'>;

/** Reads all refs and all open pull requests from Bitbucket. */
export async function readRepositoryState(
  repo: RepoRef,
  { bitbucket, current, ctx }: Asking,
): Promise<RepositoryState> {
  // First, since it is refused when calls are short. A cached list would show old states as new.
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

/** The state as it is stored. */
export function snapshotOf({ refs, pullRequests }: RepositoryState): Snapshot {
  return {
    refs: Object.fromEntries([...refs].map(([ref, { id }]) => [ref, id])),
    pullRequests: Object.fromEntries(
      [...pullRequests].map(([id, { head }]) => [id, head.branch.latest_commit]),
    ),
  };
}

/**
 * Confirms which missing refs are deleted, by reading each: a list can miss a ref while others come
 * and go, and a deleted branch loses its runs.
 * @returns refs in full; others exist, or were not read yet
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
          'ref cannot be read: taken to exist',
        );
      else throw error;
    }
  }
  return gone;
}

/** Whether the error is of this ref alone, so that others can be read. */
function isOfThisRef({ kind, status }: BitbucketError): boolean {
  return kind === 'invalid-answer' || status === 400 || status === 410;
}

function commitOf({ commit }: BbRef): VcsCommit {
  const message = commit.message.slice(0, MESSAGE_CHARACTERS);
  return toVcsCommit({ ...commit, message, parents: [] });
}

/** Adds the commit of a branch of this repository: the list of pull requests has hashes only. */
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
