import type { ProxySettings } from '@cds/network';
import type { BitbucketError } from './http/bitbucket-error';
import type {
  BbBranch,
  BbCommit,
  BbHook,
  BbPullRequest,
  BbRef,
  BbRepository,
  BbStatus,
  BbTag,
  BbWorkspace,
  BbSourceEntry,
  HookSettings,
  NewPullRequest,
  NewReport,
  NewStatus,
  PullRequestState,
  RepoRef,
} from './model';

/** How long the caller waits. */
export interface CallContext {
  /** Aborted when no caller waits for the answer any more. */
  signal: AbortSignal;
  /**
   * When `signal` will be aborted, in milliseconds since 1970. A pause that would end later (a long
   * `Retry-After`) is not begun: the caller gets the error.
   */
  deadline?: number | undefined;
}

/** Where access tokens come from. The owner of the credential implements it. */
export interface AccessTokenSource {
  /** Whose tokens they are: sent as Basic `user:token`. Without a user they are sent as Bearer. */
  readonly user?: string | undefined;
  current(ctx: CallContext): Promise<string>;
  /**
   * Called at most once for each call, after Bitbucket answered 401 to `rejected`. Rejects where
   * there is no other token.
   * @param refusal Bitbucket's answer
   */
  renew(rejected: string, ctx: CallContext, refusal: BitbucketError): Promise<string>;
}

/** The part of Bitbucket that a credential is for. */
export interface BitbucketPart {
  workspace: string;
  /** The slug, where it is one repository. */
  repository?: string | undefined;
  /** The key, where it is one project of the workspace. */
  project?: string | undefined;
}

/** The part of pino's logger that is used here. */
export interface BitbucketLogger {
  info(obj: object, msg: string): void;
  warn(obj: object, msg: string): void;
}

/** One HTTP attempt, for metrics. Holds no value of a request. */
export interface BitbucketCall {
  /** The template of the route, e.g. `/repositories/{workspace}/{repo_slug}`. */
  route: string;
  method: string;
  /** Absent when there was no answer. */
  status?: number | undefined;
  /** Why there was no readable answer; `abandoned` when no caller waited for it any more. */
  failure?: 'timeout' | 'unreachable' | 'invalid-answer' | 'abandoned' | undefined;
  /** True when the same call failed just before and is tried again. */
  isRetry: boolean;
  /** How long Bitbucket asked to wait (429). */
  retryAfterSeconds?: number | undefined;
  /** Calls an hour that are granted, where Bitbucket says so: to access tokens it does. */
  callsPerHour?: number | undefined;
  durationMs: number;
}

export interface BitbucketClientOptions {
  /** `https://api.bitbucket.org/2.0` */
  apiUrl: string;
  tokens: AccessTokenSource;
  /** What is listed as workspaces and repositories; all of the user when not given. */
  part?: BitbucketPart | undefined;
  logger?: BitbucketLogger | undefined;
  onCall?: (call: BitbucketCall) => void;
  /** Default: none. */
  proxies?: ProxySettings | undefined;
  /** Milliseconds one attempt may take, its body included. Default 15000. */
  attemptTimeoutMs?: number | undefined;
  /**
   * Milliseconds before the first repeat, unless Bitbucket says; doubled each time. Default 1000.
   */
  firstPauseMs?: number;
}

export interface ListCommitsOptions {
  /** Hashes, branches or tags whose commits are wanted; empty means all. */
  include: string[];
  /** Commits reachable from these are left out. */
  exclude: string[];
  /** The newest so many. */
  limit: number;
}

export interface ListSourceOptions {
  /** 1: only what is in the directory itself. */
  maxDepth: number;
  /** The first so many. */
  limit: number;
}

export interface ListPullRequestsOptions {
  /** Default: only OPEN. */
  states?: PullRequestState[];
  /** Only those whose source branch stands at this commit (at least 7 digits). */
  sourceCommitHash?: string;
}

/**
 * Bitbucket Cloud's REST API for a CI service. Every method throws {@link BitbucketError}; lists
 * hold all pages.
 */
export interface BitbucketClient {
  listWorkspaces(ctx: CallContext): Promise<BbWorkspace[]>;
  /**
   * Of every workspace the user is in, or of the `part` that the client is for. A workspace that
   * refuses (403, 404) is left out with a warning.
   */
  listRepositories(ctx: CallContext): Promise<BbRepository[]>;
  getRepository(repo: RepoRef, ctx: CallContext): Promise<BbRepository>;
  listForks(repo: RepoRef, ctx: CallContext): Promise<BbRepository[]>;
  /** Branches and tags together, by name, each with its commit. */
  listRefs(repo: RepoRef, ctx: CallContext): Promise<BbRef[]>;
  /** Newest commit first. */
  listBranches(repo: RepoRef, ctx: CallContext): Promise<BbBranch[]>;
  getBranch(repo: RepoRef, name: string, ctx: CallContext): Promise<BbBranch>;
  listTags(repo: RepoRef, ctx: CallContext): Promise<BbTag[]>;
  getTag(repo: RepoRef, name: string, ctx: CallContext): Promise<BbTag>;
  listCommits(repo: RepoRef, o: ListCommitsOptions, ctx: CallContext): Promise<BbCommit[]>;
  /** `revision` is a hash, or a tag or branch, also one with `/`. */
  getCommit(repo: RepoRef, revision: string, ctx: CallContext): Promise<BbCommit>;
  /** `revision` is a hash, or a tag or branch, also one with `/`. */
  listStatuses(repo: RepoRef, revision: string, ctx: CallContext): Promise<BbStatus[]>;
  /** `created` is false when a status of this key was overwritten. */
  postStatus(
    repo: RepoRef,
    hash: string,
    status: NewStatus,
    ctx: CallContext,
  ): Promise<{ created: boolean }>;
  listPullRequests(
    repo: RepoRef,
    o: ListPullRequestsOptions,
    ctx: CallContext,
  ): Promise<BbPullRequest[]>;
  getPullRequest(repo: RepoRef, id: number, ctx: CallContext): Promise<BbPullRequest>;
  createPullRequest(
    repo: RepoRef,
    pullRequest: NewPullRequest,
    ctx: CallContext,
  ): Promise<BbPullRequest>;
  commentPullRequest(repo: RepoRef, id: number, markdown: string, ctx: CallContext): Promise<void>;
  /** What is in a directory, in the order of git; '' is the root. */
  listSource(
    repo: RepoRef,
    commit: string,
    directory: string,
    o: ListSourceOptions,
    ctx: CallContext,
  ): Promise<BbSourceEntry[]>;
  getSourceEntry(
    repo: RepoRef,
    commit: string,
    path: string,
    ctx: CallContext,
  ): Promise<BbSourceEntry>;
  /** The bytes of a file, at most 16 MiB. */
  readSource(repo: RepoRef, commit: string, path: string, ctx: CallContext): Promise<Buffer>;
  putReport(repo: RepoRef, commit: string, report: NewReport, ctx: CallContext): Promise<void>;
  listHooks(repo: RepoRef, ctx: CallContext): Promise<BbHook[]>;
  createHook(repo: RepoRef, hook: HookSettings, ctx: CallContext): Promise<BbHook>;
  updateHook(repo: RepoRef, uuid: string, hook: HookSettings, ctx: CallContext): Promise<BbHook>;
  /** `found` is false for a hook that was gone already, which counts as deleted. */
  deleteHook(repo: RepoRef, uuid: string, ctx: CallContext): Promise<{ found: boolean }>;
}
