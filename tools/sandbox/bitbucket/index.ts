import express, { type NextFunction, type Request, type Response } from 'express';
import { createControlRouter, createControls, type Controls } from '../http/control';
import { createFaultSwitch, type FaultSwitch } from '../http/faults';
import { listenOn } from '../http/listener';
import { createRequestLog, type RequestLog } from '../http/request-log';
import { BitbucketApiError } from './api-error';
import { answerError, createApiRouter } from './api-router';
import { controlActions } from './control-actions';
import { forgeDelivery, type Forgery } from './forge-delivery';
import type { BuildStatus, Json, PullRequest, PullRequestState, Repository } from './model';
import { createOAuthRouter, type Consent } from './oauth-routes';
import { createOAuthServer, type Consumer, type OAuthServer } from './oauth-server';
import { deliveredRepository, pushPayload } from './push-payload';
import { createRateLimit, type RateLimitOptions } from './rate-limit';
import {
  addTag,
  forcePushCommit,
  pushCommits,
  removeBranch,
  removeTag,
  type NewTag,
  type Push,
  type RefChange,
} from './ref-changes';
import { createRenderer } from './render';
import {
  createPullRequest,
  pullRequestOf,
  repositoryNamed,
  type NewPullRequest,
} from './routes-pull-requests';
import { createWebhookSender, type Attempt, type Delivery } from './webhook-sender';
import { addRepository, createWorld, DEFAULT_SEED, type Seed, type SeedRepository } from './world';

export type { Forgery } from './forge-delivery';
export type { Attempt, Delivery } from './webhook-sender';
export type { BuildStatus, PullRequest, Repository } from './model';
export type { Seed } from './world';
export { DEFAULT_SEED } from './world';

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
export interface BitbucketSandbox {
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
  /** The build statuses of a commit, oldest first. */
  statuses(fullName: string, hash: string): BuildStatus[];
  deliveries(): Delivery[];
  resend(delivery: Delivery): Promise<Delivery>;
  onAttempt(listener: (delivery: Delivery, attempt: Attempt) => void): void;
  /** Calls the webhook of a repository without knowing its secret. @throws BitbucketApiError 404 without a webhook */
  forge(input: In<Pick<Forgery, 'signature'>>): Promise<Forgery>;
  /** Newest last. */
  forgeries(): Forgery[];
  onForgery(listener: (forgery: Forgery) => void): void;
  /** Sends any event to the webhooks that asked for it. */
  sendEvent(fullName: string, event: string, payload: Json): Promise<Delivery[]>;
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

const KEPT_FORGERIES = 100;

/** The scopes that the operator guide asks for. */
export const DEFAULT_SCOPES = ['account', 'repository:write', 'pullrequest:write', 'webhook'];

/** Starts a Bitbucket Cloud on this machine, as strict as the real one. */
export async function startBitbucket(options: BitbucketOptions = {}): Promise<BitbucketSandbox> {
  const host = options.host ?? '127.0.0.1';
  const world = createWorld(options.seed ?? DEFAULT_SEED);
  const consumer: Consumer = {
    clientId: 'sandbox-client',
    clientSecret: 'sandbox-secret',
    callbackUrl: 'http://127.0.0.1:8081/repositories_manager/oauth2/callback',
    scopes: DEFAULT_SCOPES,
    ...options.consumer,
  };
  const oauth = createOAuthServer({
    consumer,
    accessTokenLifetimeSeconds: options.accessTokenLifetimeSeconds ?? 3_600,
    lockoutMs: options.lockoutMs ?? 0,
  });
  const rateLimit = createRateLimit(options.rateLimit ?? { requestsPerHour: 1_000 });
  const faults = createFaultSwitch();
  const requests = createRequestLog();
  const sender = createWebhookSender({
    timeoutMs: options.webhookTimeoutMs ?? 10_000,
    retryPauseMs: options.webhookRetryPauseMs ?? 1_000,
  });
  const forgeries: Forgery[] = [];
  const forgeryListeners: ((forgery: Forgery) => void)[] = [];
  let consent: Consent = options.consent ?? 'auto';
  let publicUrl = options.publicUrl ?? '';
  const betweenPages: (() => Promise<unknown>)[] = [];
  const beforeNextPage = async (): Promise<void> => void (await betweenPages.shift()?.());
  const render = createRenderer(() => publicUrl);

  const app = express().disable('x-powered-by').disable('etag');
  app.enable('strict routing').enable('case sensitive routing');
  const control = express.Router();
  app.use('/_control', control);
  app.use(requests.middleware, faults.middleware);
  app.use(
    '/site/oauth2',
    createOAuthRouter({ oauth, consent: () => consent, user: world.account.displayName }),
  );
  app.use(
    '/2.0',
    createApiRouter({
      ...{ world, oauth, render, rateLimit, beforeNextPage },
      tellsSize: options.tellsSize ?? false,
      publicUrl: () => options.nextOrigin ?? publicUrl,
    }),
  );
  app.use((_request: Request, _response: Response, next: NextFunction) =>
    next(new BitbucketApiError(404, 'Resource not found')),
  );
  app.use(answerError);

  let listener = await listenOn(app, { host, port: options.port ?? 0 });
  publicUrl ||= listener.url;

  const find = (fullName: string): Repository => repositoryNamed(world, fullName);

  /** Refs are moved one after the other; the deliveries are on their way when this resolves. */
  async function pushed(
    repo: string,
    makers: ((repository: Repository) => RefChange)[],
  ): Promise<Pushed> {
    const repository = find(repo);
    const changes = makers.map((make) => make(repository));
    const payload = pushPayload(render, repository, world.account, changes);
    const hashes = changes.map(({ before, after }) => after ?? before);
    const [first = null] = hashes;
    return {
      hash: typeof first === 'string' ? first : (first?.target ?? ''),
      changes,
      delivered: sender.send(repository, 'repo:push', payload),
    };
  }

  /** A push that never was, of a commit that is there. */
  function forgedBody(repository: Repository): string {
    const after = repository.branches.get(repository.mainBranch) ?? null;
    const name = 'forged';
    const change = { type: 'branch', name, before: null, after, forced: false } as const;
    return JSON.stringify(pushPayload(render, repository, world.account, [change]));
  }

  const sandbox: BitbucketSandbox = {
    url: publicUrl,
    apiUrl: `${publicUrl}/2.0`,
    oauthUrl: `${publicUrl}/site/oauth2`,
    consumer,
    oauth,
    faults,
    requests,
    get controls() {
      return controls;
    },
    push: ({ repo, ...push }) => pushed(repo, [(one) => pushCommits(one, world.account, push)]),
    forcePush: ({ repo, ...push }) =>
      pushed(repo, [(one) => forcePushCommit(one, world.account, push)]),
    deleteBranch: ({ repo, branch }) => pushed(repo, [(one) => removeBranch(one, branch)]),
    createTag: ({ repo, ...tag }) => pushed(repo, [(one) => addTag(one, world.account, tag)]),
    deleteTag: ({ repo, tag }) => pushed(repo, [(one) => removeTag(one, tag)]),
    pushTogether: pushed,
    async openPullRequest({ repo, ...asked }) {
      const repository = find(repo);
      const opened = createPullRequest(world, repository, asked);
      await sender.send(repository, 'pullrequest:created', {
        pullrequest: render.pullRequest(repository, opened, find),
        repository: deliveredRepository(render, repository),
        actor: render.account(world.account),
      });
      return opened;
    },
    closePullRequest({ repo, id, state }) {
      const found = pullRequestOf(find(repo), String(id));
      if (found.state !== 'OPEN')
        throw new BitbucketApiError(400, `Pull request ${id} is closed for good`);
      return Object.assign(found, { state, updatedOn: new Date().toISOString() });
    },
    betweenPages: (change) => void betweenPages.push(change),
    addRepository: (seed) => addRepository(world, seed),
    repository: find,
    repositories: () => [...world.repositories.values()],
    statuses: (fullName, hash) => [...(find(fullName).statuses.get(hash)?.values() ?? [])],
    deliveries: sender.history,
    resend: sender.resend,
    onAttempt: sender.onAttempt,
    async forge({ repo, signature }) {
      const repository = find(repo);
      const webhook = [...repository.webhooks.values()].at(-1);
      if (!webhook)
        throw new BitbucketApiError(404, `${repo} has no webhook yet: create a workflow on it`);
      const body = forgedBody(repository);
      const forgery = await forgeDelivery({ repository: repo, webhook, signature, body });
      forgeries.push(forgery);
      for (const listener of forgeryListeners) listener(forgery);
      if (forgeries.length > KEPT_FORGERIES) forgeries.shift();
      return forgery;
    },
    forgeries: () => [...forgeries],
    onForgery: (listener) => void forgeryListeners.push(listener),
    sendEvent: (fullName, event, payload) => sender.send(find(fullName), event, payload),
    revokeGrants: oauth.revokeGrants,
    expireAccessTokens: oauth.expireAccessTokens,
    setAccessTokenLifetime: oauth.setAccessTokenLifetime,
    setScopes: oauth.setScopes,
    setConsent(next) {
      consent = next;
    },
    setRateLimit: rateLimit.set,
    rateLimit: rateLimit.options,
    consent: () => consent,
    state: () => ({
      workspaces: world.workspaces.map(({ slug, member }) => ({ slug, member })),
      repositories: [...world.repositories.values()].map((one) => ({
        repo: one.fullName,
        mainBranch: one.mainBranch,
        branches: Object.fromEntries(one.branches),
        tags: Object.fromEntries([...one.tags].map(([name, { target }]) => [name, target])),
        webhooks: [...one.webhooks.values()].map(({ uuid, url, active, events }) => ({
          uuid,
          url,
          active,
          events,
        })),
        statuses: Object.fromEntries(
          [...one.statuses].map(([hash, byKey]) => [hash, [...byKey.values()]]),
        ),
        pullRequests: one.pullRequests,
      })),
      tokens: oauth.counts,
    }),
    away: () => listener.close(),
    async back() {
      listener = await listenOn(app, { host, port: listener.port });
    },
    async close() {
      sender.stop();
      await listener.close();
      await sender.idle();
    },
  };
  const controls = createControls(controlActions(sandbox));
  control.use(createControlRouter(controls));
  return sandbox;
}
