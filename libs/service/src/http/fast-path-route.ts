import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Logger } from '../logs/create-logger';
import { createAddressOf } from './address-of';
import { setCommonHeaders } from './common-headers';
import { answerError } from './create-error-middleware';
import { closeUnread } from './unread-body';

/** What a route knows of a request that it matches. */
export interface RouteMatch {
  /** What `match` returned. */
  parameter: string;
  /** The address of the sender, as far as trusted proxies report it. */
  address: string;
}

/** Answers. What it throws becomes CDS's error body. */
export type FastPathHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  match: RouteMatch,
) => Promise<void>;

/**
 * Serves one route with Node alone, which is faster than Express's routing, and all others by the
 * app. The app has that route too: unusual requests go there.
 */
export function createFastPathRoute(deps: {
  /** Serves all other requests. */
  app: RequestListener;
  /** The parameter of a URL of this route; undefined for every other one. */
  match: (url: string) => string | undefined;
  handle: FastPathHandler;
  logger: Logger;
  /** As for `createHttpApp`. */
  trustedProxies: readonly string[];
}): RequestListener {
  const { app, match, handle, logger } = deps;
  const addressOf = createAddressOf(deps.trustedProxies);

  return (request, response) => {
    const parameter = request.headers.host === undefined ? undefined : match(request.url ?? '');
    if (parameter === undefined) return app(request, response);
    setCommonHeaders(request, response);
    closeUnread(request, response);
    handle(request, response, { parameter, address: addressOf(request) }).catch(
      (thrown: unknown) => {
        const [path = ''] = (request.url ?? '').split('?', 1);
        if (!answerError(logger, thrown, { method: request.method, path }, response))
          request.socket.destroy();
      },
    );
  };
}
