import type { BitbucketClient, CallContext, RepoRef } from '@cds/bitbucket';
import type { CallCredential } from '../credentials/call-credential';
import { isProjectKey } from '../credentials/project-credential';
import type { CallBudget } from '../rate-limit/call-budget';
import { fullNameOf } from '../http/repository-ref';
import type { RepositoryWrites } from './repository-writes';
import type { ReadRule, RequestCoalescer } from './request-coalescer';

const FULL_HASH = /^[0-9a-f]{40}$/i;

/** A commit never changes. */
const FOREVER: ReadRule = { joinMs: Infinity, cacheMs: 5 * 60_000 };
/** Lists that a person chooses from, and names that hardly ever change. Old is better than none. */
const LISTING: ReadRule = { joinMs: Infinity, cacheMs: 3_000, staleMs: 5 * 60_000 };
/**
 * Heads of branches and all else that a run is made of. A caller that asks because of a push must
 * not get the head before it: nothing is cached, and only a read that has just begun is joined.
 */
const CURRENT: ReadRule = { joinMs: 200, cacheMs: 0 };

/**
 * A client for requests that only read: it coalesces identical reads of a credential, and refuses
 * listings when few calls are left. Webhooks are read anew, since a caller that finds none creates
 * one.
 */
export function createCoalescingClient(deps: {
  bitbucket: BitbucketClient;
  /** Answers are shared within one credential only. */
  tokens: CallCredential;
  reads: RequestCoalescer;
  writes: RepositoryWrites;
  budget: Pick<CallBudget, 'refusalOfListing'>;
}): BitbucketClient {
  const { bitbucket, tokens, reads, writes, budget } = deps;
  // From 0.52 on the API removes what it knows of a tag or branch that it does not find listed:
  // https://github.com/ovh/cds/blob/v0.57.0/engine/api/v2_project_clean_ascode.go
  const tagsRule = isProjectKey(tokens.key) ? CURRENT : LISTING;

  function share<T>(
    rule: ReadRule,
    ctx: CallContext,
    what: unknown[],
    work: (ctx: CallContext) => Promise<T>,
    refusal?: CallBudget['refusalOfListing'],
  ): Promise<T> {
    const key = JSON.stringify([tokens.sender, ...what]);
    const { noteCoalesced: onJoined } = tokens;
    return reads.read(
      { key, rule, work, refusal, usedToken: () => tokens.lastUsed, onJoined },
      ctx,
    );
  }

  const list: typeof share = (rule, ctx, what, work) =>
    share(rule, ctx, what, work, budget.refusalOfListing);

  /** Names a read of a repository in its present state. */
  function of(repo: RepoRef, ...what: unknown[]): unknown[] {
    return [fullNameOf(repo), writes.stateOf(repo), ...what];
  }

  /** What a commit holds never changes; what a branch or a tag holds does. */
  function ofCommit<T>(
    repo: RepoRef,
    commit: string,
    what: unknown[],
    ctx: CallContext,
    work: (ctx: CallContext) => Promise<T>,
  ): Promise<T> {
    return isFullHash(commit)
      ? share(FOREVER, ctx, [fullNameOf(repo), commit, ...what], work)
      : share(CURRENT, ctx, of(repo, commit, ...what), work);
  }

  return {
    ...bitbucket,
    listWorkspaces: (ctx) => list(LISTING, ctx, ['workspaces'], bitbucket.listWorkspaces),
    listRepositories: (ctx) => list(LISTING, ctx, ['repositories'], bitbucket.listRepositories),
    listForks: (repo, ctx) =>
      list(LISTING, ctx, of(repo, 'forks'), (inner) => bitbucket.listForks(repo, inner)),
    listTags: (repo, ctx) =>
      list(tagsRule, ctx, of(repo, 'tags'), (inner) => bitbucket.listTags(repo, inner)),
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
    listSource: (repo, commit, path, o, ctx) =>
      ofCommit(repo, commit, ['directory', path, o], ctx, (inner) =>
        bitbucket.listSource(repo, commit, path, o, inner),
      ),
    getSourceEntry: (repo, commit, path, ctx) =>
      ofCommit(repo, commit, ['entry', path], ctx, (inner) =>
        bitbucket.getSourceEntry(repo, commit, path, inner),
      ),
    readSource: (repo, commit, path, ctx) =>
      ofCommit(repo, commit, ['file', path], ctx, (inner) =>
        bitbucket.readSource(repo, commit, path, inner),
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

function isFullHash(revision: string): boolean {
  return FULL_HASH.test(revision);
}
