import {
  type Callers,
  createFastPathRoute,
  createHttpApp,
  createPublicApp,
  createRouter,
  type FastPathHandler,
  type HttpAppDeps,
  limitStrangers,
  type Logger,
  type Metrics,
  type Readiness,
} from '@cds/service';
import type { Tracing } from '@cds/tracing';
import type { MonitoringStatus } from '@cds/wire';
import type { Express } from 'express';
import type { RequestListener } from 'node:http';
import { ABOUT } from './about';
import { createAdminRouter } from './admin/admin-router';
import type { AdminService } from './admin/admin-service';
import type { ExecuteOutgoing } from './modules/outgoing/accept-outgoing';
import { absentIsUnknown, onlyOurState, type StateOfRoutes } from './state/guard-routes';
import { createTaskRouter } from './tasks/task-router';
import type { TaskService } from './tasks/task-service';
import { networkOf } from './webhooks/refusal-limit';
import { createWebhookRouter, isWebhookUrl, uuidOfWebhookUrl } from './webhooks/webhook-router';

export interface AppDeps {
  logger: Logger;
  callers: Callers;
  monitoring: () => Promise<MonitoringStatus>;
  metrics: Metrics;
  readiness: Pick<Readiness, 'refusal'>;
  trustedProxies: readonly string[];
  handleWebhook: FastPathHandler;
  taskService: TaskService;
  executeOutgoing: ExecuteOutgoing;
  adminService: AdminService;
  /** For operators, if configured. */
  pages?: HttpAppDeps['pages'];
  state: StateOfRoutes;
  sharedMs?: number | undefined;
  tracing?: Tracing | undefined;
}

/** The Express app, without a port. */
export function getApp(deps: AppDeps): Express {
  const { logger, trustedProxies, state } = deps;
  return createHttpApp({
    about: ABOUT,
    logger,
    trustedProxies,
    callers: deps.callers,
    monitoring: deps.monitoring,
    metrics: deps.metrics,
    readiness: deps.readiness,
    sharedMs: deps.sharedMs,
    tracing: deps.tracing,
    open: createWebhookRouter(deps.handleWebhook),
    pages: deps.pages,
    guarded: createRouter().use(
      onlyOurState(state),
      createTaskRouter({ service: deps.taskService, executeOutgoing: deps.executeOutgoing }),
      createAdminRouter({ service: deps.adminService }),
      absentIsUnknown(state),
    ),
  });
}

/** `/webhook/{uuid}` alone. */
export function getPublicApp(
  deps: Pick<AppDeps, 'logger' | 'trustedProxies' | 'handleWebhook'>,
): Express {
  const { logger, trustedProxies, handleWebhook } = deps;
  return createPublicApp({ logger, trustedProxies, open: createWebhookRouter(handleWebhook) });
}

/** Each app is behind the fast path of webhooks. */
export function getApps(deps: AppDeps) {
  const { logger, trustedProxies, handleWebhook } = deps;
  const common = { logger, trustedProxies };
  const limits = { ...common, callers: deps.callers, isExempt: isWebhookUrl, networkOf };
  const fastPath = { ...common, match: uuidOfWebhookUrl, handle: handleWebhook };
  const behindFastPath = (app: Express): RequestListener =>
    createFastPathRoute({ ...fastPath, app: limitStrangers(app, limits) });
  return {
    everything: behindFastPath(getApp(deps)),
    /** For a port of its own. */
    webhooks: behindFastPath(getPublicApp(deps)),
  };
}
