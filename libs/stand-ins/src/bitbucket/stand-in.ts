import type { Controls } from '../http/control';
import type { FaultSwitch } from '../http/faults';
import type { RequestLog } from '../http/request-log';
import type { Forgery } from './forge-delivery';
import type { NewAccessToken, NewApiToken } from './issued-tokens';
import type {
  Account,
  BuildStatus,
  Json,
  PullRequest,
  PullRequestState,
  Repository,
} from './model';
import type { Consent } from './oauth-routes';
import type { Consumer, OAuthServer } from './oauth-server';
import type { RateLimitOptions } from './rate-limit';
import type { NewTag, Push, RefChange } from './ref-changes';
import type { NewPullRequest } from './routes-pull-requests';
import type { Attempt, Delivery } from './webhook-sender';
import type { Seed, SeedRepository } from './repository-store';

export interface BitbucketOptions {
  host?: string;
  /** 0 (the default) takes a free one. */
  port?: number;
  /** Origin that links begin with, where it is not the one listened on. */
  publicUrl?: string;
  /** Whether lists tell their size, as most of the real one's do. */
  tellsSize?: boolean;
  /** Origin that `next` begins with: another one behind a proxy that does not rewrite bodies. */
  nextOrigin?: string;
  consumer?: Partial<Consumer>;
  consent?: Consent;
  accessTokenLifetimeSeconds?: number;
  /** After a dead refresh token, valid ones are refused for so long. */
  lockoutMs?: number;
  rateLimit?: RateLimitOptions;
  webhookTimeoutMs?: number;
  webhookRetryPauseMs?: number;
  seed?: Seed;
}

/** What came of a push. */
export interface Pushed {
  /** The commit that the ref points to, or pointed to before it was deleted. */
  hash: string;
  changes: RefChange[];
  /** Resolves when every webhook was called, all attempts made. */
  delivered: Promise<Delivery[]>;
}

type In<Input> = Input & { repo: string };

/** A stand-in of Bitbucket Cloud. */
export interface BitbucketStandIn {
  url: string;
  /** For the `apiUrl` and `oauthUrl` of the configuration. */
  apiUrl: string;
  oauthUrl: string;
  consumer: Consumer;
  oauth: OAuthServer;
  faults: FaultSwitch;
  requests: RequestLog;
  controls: Controls;
  push(input: In<Push>): Promise<Pushed>;
  forcePush(input: In<Pick<Push, 'branch' | 'message'>>): Promise<Pushed>;
  deleteBranch(input: In<{ branch: string }>): Promise<Pushed>;
  createTag(input: In<NewTag>): Promise<Pushed>;
  deleteTag(input: In<{ tag: string }>): Promise<Pushed>;
  /** Several of the above in one `git push`: one delivery. */
  pushTogether(repo: string, changes: ((repository: Repository) => RefChange)[]): Promise<Pushed>;
  openPullRequest(input: In<NewPullRequest>): Promise<PullRequest>;
  closePullRequest(input: In<{ id: number; state: PullRequestState }>): PullRequest;
  /**
   * Makes `change` happen between two pages of a list: before the next page that is not a first
   * one; once.
   */
  betweenPages(change: () => Promise<unknown>): void;
  addRepository(seed: SeedRepository): Repository;
  repository(fullName: string): Repository;
  repositories(): Repository[];
  /** The reports of code insights about a commit, by their ids. */
  reports(fullName: string, hash: string): ReadonlyMap<string, Json>;
  /** The build statuses of a commit, oldest first. */
  statuses(fullName: string, hash: string): BuildStatus[];
  deliveries(): Delivery[];
  resend(delivery: Delivery): Promise<Delivery>;
  onAttempt(listener: (delivery: Delivery, attempt: Attempt) => void): void;
  /**
   * Calls the webhook of a repository without knowing its secret. @throws BitbucketApiError 404
   * without a webhook
   */
  forge(input: In<Pick<Forgery, 'signature'>>): Promise<Forgery>;
  /** Newest last. */
  forgeries(): Forgery[];
  onForgery(listener: (forgery: Forgery) => void): void;
  /** Sends any event to the webhooks that asked for it. */
  sendEvent(fullName: string, event: string, payload: Json): Promise<Delivery[]>;
  /** The account of grants and API tokens; its e-mail address is the user of API tokens. */
  account: Account;
  /** An API token of the account, for Basic. */
  issueApiToken(asked?: NewApiToken): string;
  /** An access token of a workspace or repository, for Bearer. */
  issueAccessToken(asked: NewAccessToken): string;
  /** Neither kind of token works any more. */
  revokeToken(token: string): void;
  revokeGrants(): void;
  expireAccessTokens(): void;
  setAccessTokenLifetime(seconds: number): void;
  setScopes(scopes: string[]): void;
  setConsent(consent: Consent): void;
  setRateLimit(options: RateLimitOptions): void;
  rateLimit(): RateLimitOptions;
  consent(): Consent;
  state(): Json;
  /** Stops and starts listening on the same port: Bitbucket is away. */
  away(): Promise<void>;
  back(): Promise<void>;
  close(): Promise<void>;
}
