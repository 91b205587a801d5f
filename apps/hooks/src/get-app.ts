import { createHttpApp, type Logger, type Registration } from '@cds/service';
import type { MonitoringStatus } from '@cds/wire';
import type { Express } from 'express';
import { createTaskRouter } from './tasks/task-router';
import type { TaskService } from './tasks/task-service';
import type { AcceptDelivery } from './webhooks/accept-delivery';
import { createWebhookRouter } from './webhooks/webhook-router';

export interface AppDeps {
  logger: Logger;
  registration: Pick<Registration, 'isAllowed'>;
  monitoring: () => Promise<MonitoringStatus>;
  acceptDelivery: AcceptDelivery;
  taskService: TaskService;
}

/** The Express app, without a port and without workers. */
export function getApp(deps: AppDeps): Express {
  return createHttpApp({
    logger: deps.logger,
    registration: deps.registration,
    monitoring: deps.monitoring,
    open: createWebhookRouter({ acceptDelivery: deps.acceptDelivery }),
    guarded: createTaskRouter({ service: deps.taskService }),
  });
}
