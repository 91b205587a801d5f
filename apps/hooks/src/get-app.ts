import {
  createFastPathRoute,
  createHttpApp,
  createPublicApp,
  createRouter,
  type FastPathHandler,
  type HttpAppDeps,
  limitStrangers,
} from '@cds/service';
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

export interface AppDeps extends Omit<HttpAppDeps, 'about' | 'open' | 'guarded'> {
  trustedProxies: readonly string[];
  handleWebhook: FastPathHandler;
  taskService: TaskService;
  executeOutgoing: ExecuteOutgoing;
  adminService: AdminService;
  state: StateOfRoutes;
}

/** The Express app, without a port. */
export function getApp(deps: AppDeps): Express {
  const { state } = deps;
  return createHttpApp({
    ...deps,
    about: ABOUT,
    open: createWebhookRouter(deps.handleWebhook),
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
  return createPublicApp({ ...deps, open: createWebhookRouter(deps.handleWebhook) });
}

/** Each app is behind the fast path of webhooks. */
export function getApps(deps: AppDeps) {
  const limits = { ...deps, isExempt: isWebhookUrl, networkOf };
  const fastPath = { ...deps, match: uuidOfWebhookUrl, handle: deps.handleWebhook };
  const behindFastPath = (app: Express): RequestListener =>
    createFastPathRoute({ ...fastPath, app: limitStrangers(app, limits) });
  return {
    everything: behindFastPath(getApp(deps)),
    /** For a port of its own. */
    webhooks: behindFastPath(getPublicApp(deps)),
  };
}
