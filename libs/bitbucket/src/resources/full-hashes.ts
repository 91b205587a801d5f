import { LRUCache } from 'lru-cache';
import type { BitbucketClient, CallContext } from '../client-types';
import { BitbucketError } from '../http/bitbucket-error';
import { sideBySide } from '../http/side-by-side';
import type { BbPullRequest, BbPullRequestEnd, RepoRef } from '../model';
import type { Refs } from './refs';

const FULL_HASH = /^[0-9a-f]{40}$/;
/** From so many unknown hashes of one repository on, its branches are listed once instead of asking for each. */
const MANY = 4;
/** Three pages: the branches of open pull requests are among the newest. */
const BRANCHES = 300;

/**
 * Full hash by API, repository and short hash. What a hash stands for never changes, so that all clients of the process
 * share it.
 */
const known = new LRUCache<string, string>({ max: 20_000 });

export interface FullHashesDeps {
  apiUrl: string;
  refs: Pick<Refs, 'newestBranches'>;
  getCommit: BitbucketClient['getCommit'];
}

export interface FullHashes {
  /** The pull requests of `repo` with 40-digit hashes, wherever Bitbucket tells them. */
  complete(
    repo: RepoRef,
    pullRequests: BbPullRequest[],
    ctx: CallContext,
  ): Promise<BbPullRequest[]>;
}

/** Bitbucket gives the commits of a pull request by 12 digits only. */
export function createFullHashes(deps: FullHashesDeps): FullHashes {
  const cacheKey = (fullName: string, short: string) => `${deps.apiUrl} ${fullName} ${short}`;

  async function learnFromBranches(
    repo: RepoRef,
    shorts: string[],
    ctx: CallContext,
  ): Promise<void> {
    const branches = await deps.refs.newestBranches(repo, BRANCHES, ctx);
    const fullName = nameOf(repo);
    for (const short of shorts) {
      const full = branches.find((branch) => isFull(branch.hash, short))?.hash;
      if (full !== undefined) known.set(cacheKey(fullName, short), full);
    }
  }

  /** Asks for the commit; undefined where it is not, or may not be seen. */
  async function ask(fullName: string, short: string, ctx: CallContext) {
    const [workspace = '', slug = ''] = fullName.split('/');
    try {
      const { hash } = await deps.getCommit({ workspace, slug }, short, ctx);
      return isFull(hash, short) ? hash : undefined;
    } catch (error) {
      const hidden = error instanceof BitbucketError && [403, 404, 410].includes(error.status ?? 0);
      if (hidden) return undefined;
      throw error;
    }
  }

  async function learnFromCommit(repo: RepoRef, end: ShortEnd, ctx: CallContext): Promise<void> {
    // A fork may be deleted or private; the commit can then be found where the pull request is.
    for (const fullName of new Set([end.repository, nameOf(repo)])) {
      const full = await ask(fullName, end.hash, ctx);
      if (full === undefined) continue;
      known.set(cacheKey(end.repository, end.hash), full);
      return;
    }
  }

  return {
    async complete(repo, pullRequests, ctx) {
      const own = nameOf(repo);
      const unknown = () =>
        shortEnds(pullRequests, own).filter(
          (end) => !known.has(cacheKey(end.repository, end.hash)),
        );
      const here = unknown().filter((end) => end.repository === own);
      if (here.length >= MANY) {
        const shorts = here.map((end) => end.hash);
        await learnFromBranches(repo, shorts, ctx);
      }
      await sideBySide(unknown(), ctx, (end, inner) => learnFromCommit(repo, end, inner));
      const full = (end: BbPullRequestEnd): BbPullRequestEnd => ({
        ...end,
        hash: known.get(cacheKey(end.repository ?? own, end.hash)) ?? end.hash,
      });
      return pullRequests.map((pullRequest) => ({
        ...pullRequest,
        source: full(pullRequest.source),
        destination: full(pullRequest.destination),
      }));
    },
  };
}

interface ShortEnd {
  repository: string;
  hash: string;
}

/** Every short hash once, with the repository to look in. */
function shortEnds(pullRequests: BbPullRequest[], own: string): ShortEnd[] {
  const ends = new Map<string, ShortEnd>();
  for (const { source, destination } of pullRequests) {
    for (const { repository = own, hash } of [source, destination]) {
      const isShort = hash !== '' && !FULL_HASH.test(hash);
      if (isShort) ends.set(`${repository} ${hash}`, { repository, hash });
    }
  }
  return [...ends.values()];
}

function isFull(hash: string, short: string): boolean {
  return FULL_HASH.test(hash) && hash.startsWith(short);
}

function nameOf(repo: RepoRef): string {
  return `${repo.workspace}/${repo.slug}`;
}
