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

  /** A read of a repository in its present state. */
  function shared<A extends unknown[], T>(
    rule: ReadRule,
    what: string,
    read: ReadOfRepository<A, T>,
    refusal?: CallBudget['refusalOfListing'],
  ): ReadOfRepository<A, T> {
    return (repo, ...rest) => {
      const [asked, ctx] = split(rest);
      const named = [fullNameOf(repo), writes.stateOf(repo), what, ...asked];
      return share(rule, ctx, named, (inner) => read(repo, ...asked, inner), refusal);
    };
  }

  const listed: typeof shared = (rule, what, read) =>
    shared(rule, what, read, budget.refusalOfListing);

  /** What commits hold never changes; what a branch or a tag holds does. */
  function ofCommits<A extends unknown[], T>(
    what: string,
    read: ReadOfRepository<A, T>,
    revisionsOf: (...asked: A) => readonly string[],
  ): ReadOfRepository<A, T> {
    const current = shared(CURRENT, what, read);
    return (repo, ...rest) => {
      const [asked, ctx] = split(rest);
      if (!revisionsOf(...asked).every((one) => FULL_HASH.test(one))) return current(repo, ...rest);
      const named = [fullNameOf(repo), what, ...asked];
      return share(FOREVER, ctx, named, (inner) => read(repo, ...asked, inner));
    };
  }

  const first = (revision: string) => [revision];
  return {
    ...bitbucket,
    listWorkspaces: (ctx) =>
      share(LISTING, ctx, ['workspaces'], bitbucket.listWorkspaces, budget.refusalOfListing),
    listRepositories: (ctx) =>
      share(LISTING, ctx, ['repositories'], bitbucket.listRepositories, budget.refusalOfListing),
    listForks: listed(LISTING, 'forks', bitbucket.listForks),
    listTags: listed(tagsRule, 'tags', bitbucket.listTags),
    listPullRequests: listed(LISTING, 'pull requests', bitbucket.listPullRequests),
    listRefs: listed(CURRENT, 'refs', bitbucket.listRefs),
    listBranches: listed(CURRENT, 'branches', bitbucket.listBranches),
    getRepository: shared(LISTING, 'repository', bitbucket.getRepository),
    getBranch: shared(CURRENT, 'branch', bitbucket.getBranch),
    getTag: shared(CURRENT, 'tag', bitbucket.getTag),
    listStatuses: shared(CURRENT, 'statuses', bitbucket.listStatuses),
    getPullRequest: shared(CURRENT, 'pull request', bitbucket.getPullRequest),
    listSource: ofCommits('directory', bitbucket.listSource, first),
    getSourceEntry: ofCommits('entry', bitbucket.getSourceEntry, first),
    readSource: ofCommits('file', bitbucket.readSource, first),
    getCommit: ofCommits('commit', bitbucket.getCommit, first),
    listCommits: ofCommits('commits', bitbucket.listCommits, (o) => [...o.include, ...o.exclude]),
  };
}

/** A method of the client: its last argument says how long the caller waits. */
type ReadOfRepository<A extends unknown[], T> = (
  repo: RepoRef,
  ...rest: [...A, CallContext]
) => Promise<T>;

function split<A extends unknown[]>(rest: [...A, CallContext]): [A, CallContext] {
  return [rest.slice(0, -1) as A, rest.at(-1) as CallContext];
}
