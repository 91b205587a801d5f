import { createRouter, type Logger, requestIdOf, route, sendJson } from '@cds/service';
import { type CdsError, isCdsError } from '@cds/wire';
import type { Request, RequestHandler, Response, Router } from 'express';
import { errorText } from '../error-text';
import type { AcceptDelivery } from './accept-delivery';
import { createBodyBudget } from './body-budget';
import type { IntakeMetrics, IntakeResult } from './intake-metrics';
import { ClientGoneError, dropRestOfBody, readBody } from './read-body';
import { Refusal } from './refusal';
import type { RefusalLog } from './refusal-log';
import { WEBHOOK } from './webhook-description';

export interface WebhookRouterDeps {
  acceptDelivery: AcceptDelivery;
  metrics: IntakeMetrics;
  warnOnce: RefusalLog;
  logger: Logger;
}

/** `/webhook/{uuid}`: open to everyone, so everything that comes in, and every trace it leaves, is bounded. */
export function createWebhookRouter(deps: WebhookRouterDeps): Router {
  const { acceptDelivery, metrics, warnOnce, logger } = deps;
  const bodies = createBodyBudget();

  const take: RequestHandler<{ uuid: string }> = async (request, response) => {
    const began = performance.now();
    let sendingMs = 0;
    const readIt = async () => {
      const readingBegan = performance.now();
      try {
        return await readBody(request, bodies);
      } finally {
        sendingMs += performance.now() - readingBegan;
      }
    };
    const count = (result: IntakeResult) =>
      metrics.count(result, performance.now() - began - sendingMs);

    try {
      const { result, answer } = await acceptDelivery({
        uuid: request.params.uuid,
        method: request.method,
        query: rawQuery(request),
        headers: request.headers,
        rawHeaders: request.rawHeaders,
        address: request.ip ?? '',
        requestId: requestIdOf(response),
        readBody: readIt,
      });
      sendJson(response, 200, answer);
      count(result);
    } catch (error) {
      if (error instanceof ClientGoneError) {
        count('broken_off');
        return;
      }
      dropRestOfBody(request, response);
      // Logged as an error and answered 500 where all others are.
      if (!isCdsError(error)) {
        count('failed');
        throw error;
      }
      tellOf(error, request, response);
      for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value);
      sendJson(response, error.status, error.toBody());
      count(error instanceof Refusal ? error.reason : 'unavailable');
    }
  };

  /** Not by the error middleware, which has a warning for each: a flood would fill the disk. */
  function tellOf(error: CdsError, request: Request<{ uuid: string }>, response: Response): void {
    const { uuid, status, message, cause } = error;
    const requestId = requestIdOf(response);
    logger.debug(
      { uuid, requestId, status, path: request.path, error: message },
      'Delivery refused',
    );
    if (error instanceof Refusal) {
      if (error.reason !== 'crowded_out') return;
      const message =
        'more is being sent to webhooks at once than fits: the slowest senders are refused';
      return warnOnce(message, '', { address: request.ip, requestId });
    }
    warnOnce('deliveries are refused with 503: Redis does not take them', '', {
      ...{ uuid, requestId },
      error: errorText(cause),
    });
  }

  return createRouter().all(
    '/webhook/:uuid',
    route(WEBHOOK, () => take as RequestHandler<object> as RequestHandler),
  );
}

function rawQuery(request: Request<{ uuid: string }>): string {
  const mark = request.url.indexOf('?');
  return mark < 0 ? '' : request.url.slice(mark + 1);
}
