import express, { type NextFunction, type Request, type Response } from 'express';
import { createControlRouter, createControls } from '../http/control';
import { createFaultSwitch } from '../http/faults';
import { listenOn } from '../http/listener';
import { createRequestLog } from '../http/request-log';
import { BitbucketApiError } from './api-error';
import { answerError, createApiRouter } from './api-router';
import { controlActions } from './control-actions';
import { forgeDelivery, type Forgery } from './forge-delivery';
import type { Json, Repository } from './model';
import { createOAuthRouter, type Consent } from './oauth-routes';
import { createIssuedTokens } from './issued-tokens';
import { createOAuthServer, type Consumer } from './oauth-server';
import { deliveredRepository, pushPayload } from './push-payload';
import { createRateLimit } from './rate-limit';
import {
  addTag,
  forcePushCommit,
  pushCommits,
  removeBranch,
  removeTag,
  type RefChange,
} from './ref-changes';
import { createRenderer } from './render';
import { createPullRequest, pullRequestOf, repositoryNamed } from './routes-pull-requests';
import { createWebhookSender } from './webhook-sender';
import { addRepository, createRepositoryStore, DEFAULT_SEED } from './repository-store';

import type { BitbucketOptions, BitbucketStandIn, Pushed } from './stand-in';

const KEPT_FORGERIES = 100;

/** The scopes that the operator guide asks for. */
export const DEFAULT_SCOPES = ['account', 'repository:write', 'pullrequest:write', 'webhook'];

/** Starts a Bitbucket Cloud on this machine, as strict as the real one. */
export async function startBitbucket(options: BitbucketOptions = {}): Promise<BitbucketStandIn> {
  const host = options.host ?? '127.0.0.1';
  const store = createRepositoryStore(options.seed ?? DEFAULT_SEED);
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
  const issued = createIssuedTokens(store.account);
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
    createOAuthRouter({ oauth, consent: () => consent, user: store.account.displayName }),
  );
  app.use(
    '/2.0',
    createApiRouter({
      ...{ store, oauth, issued, render, rateLimit, beforeNextPage },
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

  const find = (fullName: string): Repository => repositoryNamed(store, fullName);

  /** Refs are moved one after the other; the deliveries are on their way when this resolves. */
  async function pushed(
    repo: string,
    makers: ((repository: Repository) => RefChange)[],
  ): Promise<Pushed> {
    const repository = find(repo);
    const changes = makers.map((make) => make(repository));
    const payload = pushPayload(render, repository, store.account, changes);
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
    return JSON.stringify(pushPayload(render, repository, store.account, [change]));
  }

  const standIn: BitbucketStandIn = {
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
    push: ({ repo, ...push }) => pushed(repo, [(one) => pushCommits(one, store.account, push)]),
    forcePush: ({ repo, ...push }) =>
      pushed(repo, [(one) => forcePushCommit(one, store.account, push)]),
    deleteBranch: ({ repo, branch }) => pushed(repo, [(one) => removeBranch(one, branch)]),
    createTag: ({ repo, ...tag }) => pushed(repo, [(one) => addTag(one, store.account, tag)]),
    deleteTag: ({ repo, tag }) => pushed(repo, [(one) => removeTag(one, tag)]),
    pushTogether: pushed,
    async openPullRequest({ repo, ...asked }) {
      const repository = find(repo);
      const opened = createPullRequest(store, repository, asked);
      await sender.send(repository, 'pullrequest:created', {
        pullrequest: render.pullRequest(repository, opened, find),
        repository: deliveredRepository(render, repository),
        actor: render.account(store.account),
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
    addRepository: (seed) => addRepository(store, seed),
    repository: find,
    repositories: () => [...store.repositories.values()],
    statuses: (fullName, hash) => [...(find(fullName).statuses.get(hash)?.values() ?? [])],
    reports: (fullName, hash) => find(fullName).reports.get(hash) ?? new Map<string, Json>(),
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
    account: store.account,
    issueApiToken: issued.issueApiToken,
    issueAccessToken: issued.issueAccessToken,
    revokeToken: issued.revoke,
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
      workspaces: store.workspaces.map(({ slug, member }) => ({ slug, member })),
      repositories: [...store.repositories.values()].map((one) => ({
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
  const controls = createControls(controlActions(standIn));
  control.use(createControlRouter(controls));
  return standIn;
}
