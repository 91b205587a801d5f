import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { JSON_TYPE } from './send-json';

/** Made once: Helmet's checks per request add nothing to answers that no browser renders. */
const HEADERS = new Map([
  ['Content-Type', JSON_TYPE],
  ['Cache-Control', 'no-store'],
  ['Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'"],
  ['X-Content-Type-Options', 'nosniff'],
]);

const USABLE_ID = /^[\w.:-]{1,100}$/;

/**
 * Sets the headers of every answer, among them the request id: the one that came (`X-Request-Id` of
 * proxies, `Request-ID` of CDS), or a new one.
 */
export function setCommonHeaders(req: IncomingMessage, res: ServerResponse): void {
  res.setHeaders(HEADERS);
  const given = req.headers['x-request-id'] ?? req.headers['request-id'];
  const id = typeof given === 'string' && USABLE_ID.test(given) ? given : randomUUID();
  res.setHeader('X-Request-Id', id);
}

/** The id that {@link setCommonHeaders} gave to the request. */
export function requestIdOf(res: ServerResponse): string {
  return String(res.getHeader('X-Request-Id'));
}
