import type { CdsApiClient } from '@cds/api-client';
import type { VcsConfig } from '@cds/config';
import type { ProxySettings } from '@cds/network';
import { createRunTraces } from '@cds/redis';
import {
  type Callers,
  createHttpApp,
  createRouter,
  type Logger,
  type Metrics,
  type Readiness,
} from '@cds/service';
import type { Tracing } from '@cds/tracing';
import type { MonitoringLine, MonitoringStatus } from '@cds/wire';
import type { Redis } from 'ioredis';
import type { ApiVersion } from './http/api-version';
import type { State } from './state/create-state';
import { SERVICE_DESCRIPTION } from './service-description';
import { addAuthorizeRoutes } from './servers/authorize-routes';
import { createOAuthServer } from './servers/oauth-server';
import { createProjectServers } from './servers/project-servers';
import { createRepeatedCalls } from './servers/repeated-calls';
import { budgetLine, projectsBudgetLine } from './rate-limit/budget-line';
import { DEADLINE_MS } from './http/request-deadline';
import { createRunExclusive } from './redis/run-exclusive';
import { addCommitRoutes } from './commits/commit-routes';
import { addArchiveRoute } from './contents/archive-route';
import { addContentRoutes } from './contents/content-routes';
import { addInsightRoutes } from './insights/insight-routes';
import { createEventLog } from './polling/event-log';
import { createFindEvents } from './polling/find-events';
import { addPollingRoutes } from './polling/polling-routes';
import { addPullRequestRoutes } from './pull-requests/pull-request-routes';
import { createVcsMetrics } from './monitoring/vcs-metrics';
import { createMainBranchOf } from './repositories/main-branch';
import { addNotImplementedRoutes } from './repositories/not-implemented-routes';
import { addRepositoryRoutes } from './repositories/repository-routes';
import type { AnsweredCall } from './servers/granted-route';
import { addServerRoutes } from './servers/server-routes';
import { createFinishStatuses } from './statuses/finish-statuses';
import { createSendStatus, SEND_MS } from './statuses/send-status';
import { createSentStatuses } from './statuses/sent-statuses';
import { addStatusRoutes } from './statuses/status-routes';
import { traceStatuses } from './statuses/trace-statuses';
import { createUnfinishedStatuses } from './statuses/unfinished-statuses';
import { addHookRoutes } from './webhooks/hook-routes';
import { createWebhookStore } from './webhooks/webhook-store';
import { createManualWebhooks } from './webhooks/manual-webhooks';
import { createWebhookKey } from './webhooks/webhook-key';
import { createWebhookTracker } from './webhooks/webhook-tracker';
import { createWebhookRepairs } from './webhooks/webhook-repairs';

export interface VcsAppDeps {
  config: Pick<VcsConfig, 'servers' | 'webhookKey' | 'proxyWebhook'>;
  /** The URL of the CDS UI; empty while it is not known. */
  uiUrl: () => string;
  /** `urlPublic` of `hooks`, where it is known: webhooks with this prefix are ours. */
  hooksUrl?: string | undefined;
  redis: Redis;
  logger: Logger;
  callers: Callers;
  monitoring: () => Promise<MonitoringStatus>;
  metrics?: Metrics | undefined;
  readiness?: Pick<Readiness, 'refusal'> | undefined;
  apiVersion: ApiVersion;
  /** The proxies to Bitbucket; none when not given. */
  proxies?: ProxySettings | undefined;
  /** The owner of the state in Redis; this CDS when not given. */
  state?: Pick<State, 'onlyOurs' | 'isOurs'>;
  /** Answers how builds ended. */
  api: Pick<CdsApiClient, 'nodeRun'>;
  /** Milliseconds between two checks of unfinished statuses; a minute when not given. */
  roundEveryMs?: number | undefined;
  /** Undefined where traces are off. */
  tracing?: Tracing | undefined;
  /** Milliseconds that a route may take. Default 50,000: the API waits 60 s. */
  deadlineMs?: number | undefined;
}

export type VcsApp = ReturnType<typeof getApp>;

/** The service without its port: every route of `vcs`. */
export function getApp(deps: VcsAppDeps) {
  const { config, redis, logger, callers, monitoring, apiVersion, tracing } = deps;
  const metrics = createVcsMetrics(deps.metrics);
  const serverDeps = { redis, logger, metrics, proxies: deps.proxies, tracing };
  const configured = new Map(
    config.servers.map((server) => [server.name, createOAuthServer(serverDeps, server)]),
  );
  const ofProjects = createProjectServers({ ...serverDeps, proxyWebhook: config.proxyWebhook });
  metrics.showProjectBudgets(ofProjects.budgets);
  const servers = { configured, ofProjects };
  const webhookKey = createWebhookKey(config.webhookKey);
  const webhookStore = createWebhookStore(redis, deps.hooksUrl);
  const webhookRepairs = createWebhookRepairs({
    redis,
    webhookStore,
    webhookKey,
    logger,
    onResult: metrics.repair,
    onHeldBack: () => metrics.heldBack('repair'),
  });
  const webhookTracker = createWebhookTracker({ webhookStore, webhookKey, logger });

  const repeatedCalls = createRepeatedCalls({ onRepeat: metrics.repeated });
  redis.on('ready', repeatedCalls.forget);
  const deadlineMs = deps.deadlineMs ?? DEADLINE_MS;
  const common = { servers, repeatedCalls, logger, deadlineMs };
  const routes = {
    ...common,
    onAnswered(call: AnsweredCall) {
      webhookRepairs.afterAnswer(call);
      finishStatuses.accepted(call.grant);
    },
  };
  const mainBranchOf = createMainBranchOf();
  const manualWebhooks = createManualWebhooks({ redis, logger });
  const runExclusive = createRunExclusive({ redis, logger, maxMs: routes.deadlineMs });

  const router = createRouter();
  if (deps.state) router.use(deps.state.onlyOurs);
  addServerRoutes(router, routes);
  addAuthorizeRoutes(router, routes);
  addRepositoryRoutes(router, { ...routes, mainBranchOf });
  // Before those of commits, whose hash may be the name of a tag with slashes.
  addInsightRoutes(router, routes);
  addCommitRoutes(router, { ...routes, mainBranchOf });
  addContentRoutes(router, routes);
  addArchiveRoute(router, routes);
  addPullRequestRoutes(router, routes);
  // Without `onAnswered`: here the API manages the webhooks itself.
  addHookRoutes(router, {
    ...common,
    manualWebhooks,
    apiVersion,
    runExclusive,
    webhookKey,
    webhookTracker,
    webhookRepairs,
  });
  // Without one statuses lead to the documentation of CDS.
  const { uiUrl } = deps;
  const unfinished = createUnfinishedStatuses({ redis, logger });
  const untraced = createSendStatus({
    sent: createSentStatuses({ redis, logger }),
    unfinished,
    runExclusive: createRunExclusive({ redis, logger, maxMs: SEND_MS }),
    logger,
    onResult: metrics.status,
  });
  const sendStatus = tracing ? traceStatuses(untraced, tracing, createRunTraces(redis)) : untraced;
  addStatusRoutes(router, { ...routes, sendStatus, apiVersion, uiUrl });
  const finishStatuses = createFinishStatuses({
    ...{ redis, servers, unfinished, sendStatus, logger, api: deps.api },
    isOurs: () => deps.state?.isOurs() ?? true,
    options: () => ({ uiUrl: uiUrl(), sendSkipped: apiVersion.atLeast(0, 42) }),
    roundEveryMs: deps.roundEveryMs,
  });
  const findEvents = createFindEvents({ log: createEventLog({ redis, logger }), logger });
  addPollingRoutes(router, { ...routes, mainBranchOf, findEvents });
  addNotImplementedRoutes(router, routes);

  return {
    app: createHttpApp({
      about: SERVICE_DESCRIPTION,
      logger,
      callers,
      monitoring,
      metrics: deps.metrics,
      readiness: deps.readiness,
      tracing,
      guarded: router,
    }),
    /** Starts the work in the background, after the registration, when the state is ours. */
    start: finishStatuses.start,
    /** The lines of `/mon/status` about the servers. */
    lines: async (): Promise<MonitoringLine[]> => [
      ...(await Promise.all(
        [...configured.values()].map(async ({ config: { name, callsPerHour }, budget }) =>
          budgetLine(name, callsPerHour, await budget.state()),
        ),
      )),
      ...projectsBudgetLine(ofProjects.budgets()),
    ],
    /** Waits at most `deadlineMs` until all that must not be lost is stored. */
    async close(deadlineMs: number): Promise<void> {
      webhookRepairs.close();
      finishStatuses.close();
      await Promise.all([
        ...[...configured.values()].flatMap(({ grants, budget }) => [
          grants.close(deadlineMs),
          budget.close(),
        ]),
        ofProjects.close(),
      ]);
    },
  };
}
