import type { BitbucketClient, CallContext, RepoRef } from '@cds/bitbucket';
import type { GrantTokens } from '../credentials/grant-tokens';
import type { CallBudget } from '../rate-limit/call-budget';
import { fullNameOf } from '../http/repository-ref';
import type { RepositoryWrites } from './repository-writes';
import type { ReadRule, SharedReads } from './request-coalescer';

const FULL_HASH = /^[0-9a-f]{40}$/i;

/** A commit never changes. */
const FOREVER: ReadRule = { joinMs: Infinity, keepMs: 5 * 60_000 };
/** What a person chooses from, or a name hardly ever changed. Old is better than none. */
const LISTING: ReadRule = { joinMs: Infinity, keepMs: 3_000, keepForNeedMs: 5 * 60_000 };
/**
 * Heads of branches and what else a run is made of. Who asks because of a push must not be told the head before it: so nothing is
 * kept, and only a read is joined that began so shortly before that the push was there.
 */
const CURRENT: ReadRule = { joinMs: 200, keepMs: 0 };

export interface SharingDeps {
  bitbucket: BitbucketClient;
  /** Of one grant: what it read serves nobody else. */
  tokens: GrantTokens;
  reads: SharedReads;
  writes: RepositoryWrites;
  budget: Pick<CallBudget, 'refusalOfListing'>;
}

/**
 * A client for requests that only read. Identical reads of a grant are made once, and listings are refused when the rest of the
 * calls is for runs. Webhooks are read afresh: whoever finds none creates one.
 */
export function createSharingClient(deps: SharingDeps): BitbucketClient {
  const { bitbucket, tokens, reads, writes, budget } = deps;

  function share<T>(rule: ReadRule, ctx: CallContext, what: unknown[], read: Work<T>): Promise<T> {
    return reads.read({ ...common(what), rule, work: read }, ctx);
  }

  function list<T>(rule: ReadRule, ctx: CallContext, what: unknown[], read: Work<T>): Promise<T> {
    const refusal = budget.refusalOfListing;
    return reads.read({ ...common(what), rule, work: read, refusal }, ctx);
  }

  function common(what: unknown[]) {
    return {
      key: JSON.stringify([tokens.sender, ...what]),
      servedBy: () => tokens.lastUsed,
      onJoined: tokens.noteServed,
    };
  }

  /** Of a repository in its present state. */
  function of(repo: RepoRef, ...what: unknown[]): unknown[] {
    return [fullNameOf(repo), writes.stateOf(repo), ...what];
  }

  return {
    ...bitbucket,
    listWorkspaces: (ctx) => list(LISTING, ctx, ['workspaces'], bitbucket.listWorkspaces),
    listRepositories: (ctx) => list(LISTING, ctx, ['repositories'], bitbucket.listRepositories),
    listForks: (repo, ctx) =>
      list(LISTING, ctx, of(repo, 'forks'), (inner) => bitbucket.listForks(repo, inner)),
    listTags: (repo, ctx) =>
      list(LISTING, ctx, of(repo, 'tags'), (inner) => bitbucket.listTags(repo, inner)),
    listPullRequests: (repo, o, ctx) =>
      list(LISTING, ctx, of(repo, 'pull requests', o), (inner) =>
        bitbucket.listPullRequests(repo, o, inner),
      ),
    listRefs: (repo, ctx) =>
      list(CURRENT, ctx, of(repo, 'refs'), (inner) => bitbucket.listRefs(repo, inner)),
    listBranches: (repo, ctx) =>
      list(CURRENT, ctx, of(repo, 'branches'), (inner) => bitbucket.listBranches(repo, inner)),
    getRepository: (repo, ctx) =>
      share(LISTING, ctx, of(repo, 'repository'), (inner) => bitbucket.getRepository(repo, inner)),
    getBranch: (repo, name, ctx) =>
      share(CURRENT, ctx, of(repo, 'branch', name), (inner) =>
        bitbucket.getBranch(repo, name, inner),
      ),
    getTag: (repo, name, ctx) =>
      share(CURRENT, ctx, of(repo, 'tag', name), (inner) => bitbucket.getTag(repo, name, inner)),
    listStatuses: (repo, revision, ctx) =>
      share(CURRENT, ctx, of(repo, 'statuses', revision), (inner) =>
        bitbucket.listStatuses(repo, revision, inner),
      ),
    getPullRequest: (repo, id, ctx) =>
      share(CURRENT, ctx, of(repo, 'pull request', id), (inner) =>
        bitbucket.getPullRequest(repo, id, inner),
      ),
    listCommits: (repo, o, ctx) =>
      [...o.include, ...o.exclude].every(isFullHash)
        ? share(FOREVER, ctx, [fullNameOf(repo), 'commits', o], (inner) =>
            bitbucket.listCommits(repo, o, inner),
          )
        : share(CURRENT, ctx, of(repo, 'commits', o), (inner) =>
            bitbucket.listCommits(repo, o, inner),
          ),
    getCommit: (repo, revision, ctx) =>
      isFullHash(revision)
        ? share(FOREVER, ctx, [fullNameOf(repo), 'commit', revision], (inner) =>
            bitbucket.getCommit(repo, revision, inner),
          )
        : share(CURRENT, ctx, of(repo, 'commit', revision), (inner) =>
            bitbucket.getCommit(repo, revision, inner),
          ),
  };
}

type Work<T> = (ctx: CallContext) => Promise<T>;

function isFullHash(revision: string): boolean {
  return FULL_HASH.test(revision);
}
