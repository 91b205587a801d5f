import { LRUCache } from 'lru-cache';
import type { BitbucketClient, CallContext } from '../client-types';
import { BitbucketError } from '../http/bitbucket-error';
import { AT_A_TIME, sideBySide } from '../http/side-by-side';
import type { BbPullRequest, BbPullRequestEnd, RepoRef } from '../model';
import type { Refs } from './refs';

const FULL_HASH = /^[0-9a-f]{40}$/;
/** Digits that Bitbucket gives in pull requests. */
const SHORT = 12;
/** From so many unknown hashes on, branches are listed instead of asking for each hash. */
const MANY = 4;
/** Pages of branches that are always read: those of open pull requests are among the newest. */
const PAGES = 3;

/** Full hash by API, repository and short hash. Never changes, so all clients share it. */
const known = new LRUCache<string, string>({ max: 20_000 });

export type FullHashes = ReturnType<typeof createFullHashes>;

/** Bitbucket gives the commits of a pull request by 12 digits only. */
export function createFullHashes(deps: {
  apiUrl: string;
  newestBranches: Refs['newestBranches'];
  getCommit: BitbucketClient['getCommit'];
}) {
  const cacheKey = (fullName: string, short: string) => `${deps.apiUrl} ${fullName} ${short}`;

  /**
   * Reads all pages of pull requests and, beside them, branches as far as they are worth a call: a
   * page of them stands for up to a hundred calls for single commits.
   */
  async function readBesideBranches(
    repo: RepoRef,
    pages: AsyncGenerator<BbPullRequest[], undefined>,
    ctx: CallContext,
  ): Promise<BbPullRequest[]> {
    const own = nameOf(repo);
    const branches = deps.newestBranches(repo, ctx);
    const heads = createHeadIndex();
    const all: BbPullRequest[] = [];
    const unknown = new Map<string, ShortEnd>();
    let more = { pullRequests: true, branches: true };
    for (let read = 0; more.pullRequests || (more.branches && unknown.size >= MANY);) {
      const isWorth = more.branches && unknown.size >= MANY;
      const [pullRequests, newest] = await Promise.all([
        more.pullRequests ? pages.next() : undefined,
        isWorth ? branches.next() : undefined,
      ]);
      const page = pullRequests?.value ?? [];
      all.push(...page);
      for (const end of unknownEnds(page, own))
        if (end.repository === own) unknown.set(end.hash, end);
      if (newest) read += 1;
      heads.add((newest?.value ?? []).map(({ hash }) => hash).filter((hash) => isFull(hash)));
      const learned = learn(unknown, heads);
      // No more than takes as long as asking for each would.
      const atMost = Math.max(PAGES, Math.ceil(unknown.size / AT_A_TIME));
      more = {
        pullRequests: more.pullRequests && pullRequests?.done !== true,
        branches:
          more.branches && newest?.done !== true && (!isWorth || read < atMost || learned >= MANY),
      };
    }
    return all;
  }

  /** Takes out of `unknown` what is the head of a branch. @returns how many */
  function learn(unknown: Map<string, ShortEnd>, heads: ReturnType<typeof createHeadIndex>) {
    let learned = 0;
    for (const { repository, hash } of unknown.values()) {
      const full = heads.find(hash);
      if (full === undefined) continue;
      known.set(cacheKey(repository, hash), full);
      unknown.delete(hash);
      learned += 1;
    }
    return learned;
  }

  const isKnown = (end: ShortEnd) => known.has(cacheKey(end.repository, end.hash));
  const unknownEnds = (pullRequests: BbPullRequest[], own: string) =>
    shortEnds(pullRequests, own).filter((end) => !isKnown(end));

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
    /** Takes note of a commit that was read: the pull request of its branch is often read next. */
    note(repo: RepoRef, hash: string): void {
      if (isFull(hash)) known.set(cacheKey(nameOf(repo), hash.slice(0, SHORT)), hash);
    },
    /** All pull requests of `repo`, with 40-digit hashes where Bitbucket returns them. */
    async complete(
      repo: RepoRef,
      pages: AsyncGenerator<BbPullRequest[], undefined>,
      ctx: CallContext,
    ): Promise<BbPullRequest[]> {
      const own = nameOf(repo);
      const pullRequests = await readBesideBranches(repo, pages, ctx);
      const unknown = unknownEnds(pullRequests, own);
      await sideBySide(unknown, ctx, (end, inner) => learnFromCommit(repo, end, inner));
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

/**
 * The hashes of branches' last commits, to be found by their beginning, in constant time: a
 * repository may have thousands of branches and pull requests.
 */
function createHeadIndex() {
  const all: string[] = [];
  /** By length of the beginning: Bitbucket's have 12 digits, as a rule. */
  const byLength = new Map<number, Map<string, string>>();

  function put(index: Map<string, string>, length: number, hashes: readonly string[]): void {
    for (const hash of hashes) index.set(hash.slice(0, length), hash);
  }

  return {
    add(hashes: readonly string[]): void {
      all.push(...hashes);
      for (const [length, index] of byLength) put(index, length, hashes);
    },
    /** The whole hash that begins with `short`, if it is there. */
    find(short: string): string | undefined {
      let index = byLength.get(short.length);
      if (!index) {
        index = new Map();
        put(index, short.length, all);
        byLength.set(short.length, index);
      }
      return index.get(short);
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

function isFull(hash: string, short = ''): boolean {
  return FULL_HASH.test(hash) && hash.startsWith(short);
}

function nameOf(repo: RepoRef): string {
  return `${repo.workspace}/${repo.slug}`;
}
