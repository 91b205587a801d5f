import { createRouter, sendJson } from '@cds/service';
import { CdsError } from '@cds/wire';
import type { Request, RequestHandler, Router } from 'express';
import { answeredByRedis } from '../redis-deadline';
import type { AcceptDelivery } from './accept-delivery';
import { WEBHOOK_METHODS } from './accept-delivery';
import { ClientGoneError, readBody } from './read-body';

/** `/webhook/{uuid}`: open to everyone, so everything that comes in is bounded. */
export function createWebhookRouter(deps: { acceptDelivery: AcceptDelivery }): Router {
  const take: RequestHandler<{ uuid: string }> = async (request, response) => {
    if (!WEBHOOK_METHODS.includes(request.method)) {
      throw new CdsError('methodNotAllowed', {
        from: `webhooks take ${WEBHOOK_METHODS.join(', ')}`,
      });
    }
    let body: Buffer;
    try {
      body = await readBody(request, response);
    } catch (error) {
      if (error instanceof ClientGoneError) return;
      throw error;
    }
    const accepted = await answeredByRedis(() =>
      deps.acceptDelivery({
        uuid: request.params.uuid,
        method: request.method,
        query: rawQuery(request),
        headers: request.headers,
        rawHeaders: request.rawHeaders,
        body,
      }),
    );
    sendJson(response, 200, accepted);
  };
  return createRouter().all('/webhook/:uuid', take);
}

function rawQuery(request: Request<{ uuid: string }>): string {
  const mark = request.url.indexOf('?');
  return mark < 0 ? '' : request.url.slice(mark + 1);
}
