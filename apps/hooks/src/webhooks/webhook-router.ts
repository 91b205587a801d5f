import { createRouter, route } from '@cds/service';
import type { Router } from 'express';
import type { TakeWebhook } from './handle-webhook';
import { WEBHOOK } from './webhook-description';

/** `/webhook/{uuid}`: open to everyone, so everything that comes in, and every trace it leaves, is bounded. */
export function createWebhookRouter(take: TakeWebhook): Router {
  return createRouter().all(
    '/webhook/:uuid',
    route(
      WEBHOOK,
      () => (request, response) =>
        take(request, response, {
          parameter: String(request.params['uuid']),
          address: request.ip ?? '',
        }),
    ),
  );
}
