import {
  type Callers,
  createHttpApp,
  createPublicApp,
  createRouter,
  type FastPathHandler,
  type Logger,
  type Metrics,
} from '@cds/service';
import type { MonitoringStatus } from '@cds/wire';
import type { Express } from 'express';
import { ABOUT } from './about';
import { createAdminRouter } from './admin/admin-router';
import type { AdminService } from './admin/admin-service';
import type { ExecuteOutgoing } from './modules/outgoing/accept-outgoing';
import { absentIsUnknown, onlyOurState, type StateOfRoutes } from './state/guard-routes';
import { createTaskRouter } from './tasks/task-router';
import type { TaskService } from './tasks/task-service';
import { createWebhookRouter } from './webhooks/webhook-router';

export interface AppDeps {
  logger: Logger;
  registration: Callers;
  monitoring: () => Promise<MonitoringStatus>;
  metrics: Metrics;
  trustedProxies: readonly string[];
  handleWebhook: FastPathHandler;
  taskService: TaskService;
  executeOutgoing: ExecuteOutgoing;
  adminService: AdminService;
  state: StateOfRoutes;
  /** As for `createHttpApp`. */
  sharedMs?: number;
}

/** What is shown to the internet where that has a port of its own: `/webhook/{uuid}` alone. */
export function getPublicApp(
  deps: Pick<AppDeps, 'logger' | 'trustedProxies'> & { handle: FastPathHandler },
): Express {
  return createPublicApp({
    logger: deps.logger,
    trustedProxies: deps.trustedProxies,
    open: createWebhookRouter(deps.handle),
  });
}

/** The Express app, without a port and without workers. */
export function getApp(deps: AppDeps): Express {
  return createHttpApp({
    about: ABOUT,
    logger: deps.logger,
    registration: deps.registration,
    monitoring: deps.monitoring,
    metrics: deps.metrics,
    trustedProxies: deps.trustedProxies,
    sharedMs: deps.sharedMs,
    open: createWebhookRouter(deps.handleWebhook),
    guarded: createRouter().use(
      onlyOurState(deps.state),
      createTaskRouter({ service: deps.taskService, executeOutgoing: deps.executeOutgoing }),
      createAdminRouter({ service: deps.adminService }),
      absentIsUnknown(deps.state),
    ),
  });
}
