import { type Callers, createHttpApp, createRouter, type Logger, type Metrics } from '@cds/service';
import type { MonitoringStatus } from '@cds/wire';
import type { Express } from 'express';
import { ABOUT } from './about';
import { createAdminRouter } from './admin/admin-router';
import type { AdminService } from './admin/admin-service';
import type { ExecuteOutgoing } from './outgoing/execute-outgoing';
import { createTaskRouter } from './tasks/task-router';
import type { TaskService } from './tasks/task-service';
import type { TakeWebhook } from './webhooks/take-webhook';
import { createWebhookRouter } from './webhooks/webhook-router';

export interface AppDeps {
  logger: Logger;
  registration: Callers;
  monitoring: () => Promise<MonitoringStatus>;
  metrics: Metrics;
  trustedProxies: readonly string[];
  takeWebhook: TakeWebhook;
  taskService: TaskService;
  executeOutgoing: ExecuteOutgoing;
  adminService: AdminService;
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
    open: createWebhookRouter(deps.takeWebhook),
    guarded: createRouter().use(
      createTaskRouter({ service: deps.taskService, executeOutgoing: deps.executeOutgoing }),
      createAdminRouter({ service: deps.adminService }),
    ),
  });
}
