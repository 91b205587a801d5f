import type { IncomingMessage, ServerResponse } from 'node:http';
import { type FrontRequest, type Logger, requestIdOf, sendJson } from '@cds/service';
import { type CdsError, isCdsError } from '@cds/wire';
import { errorText } from '@cds/redis';
import type { AcceptDelivery } from './accept-delivery';
import type { BodyBudget } from './body-budget';
import type { IntakeMetrics, IntakeResult } from './intake-metrics';
import { ClientGoneError, dropRestOfBody, readBody } from './read-body';
import { Refusal, type RefusalReason } from './refusal';
import type { RefusalLog } from './refusal-log';

export interface TakeWebhookDeps {
  acceptDelivery: AcceptDelivery;
  bodies: BodyBudget;
  metrics: IntakeMetrics;
  warnOnce: RefusalLog;
  logger: Logger;
}

/** Of refusals that say something of the line or of the load. */
const WARNINGS: Partial<Record<RefusalReason, string>> = {
  crowded_out: 'more is being sent to webhooks at once than fits: the slowest senders are refused',
  too_slow: 'a delivery was sent too slowly and is refused with 503',
};

/** Answers a request to a webhook: what it is `about` is the hook's uuid and the sender's address. */
export type TakeWebhook = (
  request: IncomingMessage,
  response: ServerResponse,
  about: FrontRequest,
) => Promise<void>;

/**
 * Takes a request to a webhook, whatever served it so far.
 *
 * What the function returned throws is a mistake of ours, to be logged as an error and answered 500.
 */
export function createTakeWebhook(deps: TakeWebhookDeps): TakeWebhook {
  const { acceptDelivery, bodies, metrics, warnOnce, logger } = deps;

  /** Not by the error middleware, which has a warning for each: a flood would fill the disk. */
  function tellOf(
    error: CdsError,
    request: IncomingMessage,
    about: FrontRequest,
    requestId: string,
  ): void {
    const { uuid, status, message, cause } = error;
    const [path] = (request.url ?? '').split('?', 1);
    logger.debug({ uuid, requestId, status, path, error: message }, 'Delivery refused');
    if (error instanceof Refusal) {
      const warning = WARNINGS[error.reason];
      if (warning) warnOnce(warning, '', { address: about.address, requestId });
      return;
    }
    warnOnce('deliveries are refused with 503: Redis does not take them', '', {
      ...{ uuid, requestId },
      error: errorText(cause),
    });
  }

  return async (request, response, about) => {
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
        uuid: about.parameter,
        method: request.method ?? '',
        query: rawQuery(request.url ?? ''),
        headers: request.headers,
        rawHeaders: request.rawHeaders,
        address: about.address,
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
      tellOf(error, request, about, requestIdOf(response));
      for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value);
      sendJson(response, error.status, error.toBody());
      count(error instanceof Refusal ? error.reason : 'unavailable');
    }
  };
}

function rawQuery(url: string): string {
  const mark = url.indexOf('?');
  return mark < 0 ? '' : url.slice(mark + 1);
}
