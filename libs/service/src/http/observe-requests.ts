import type { Tracing } from '@cds/tracing';
import type { Request, RequestHandler } from 'express';
import type { Logger } from '../logs/create-logger';
import type { Metrics } from '../metrics/create-metrics';
import { requestIdOf } from './common-headers';

/** Logs each request after its answer; without the query, which may hold secrets. */
export function createRequestLog(logger: Logger): RequestHandler {
  return (req, res, next) => {
    const began = performance.now();
    const { method, path } = req;
    res.once('close', () => {
      logger.debug(
        {
          requestId: requestIdOf(res),
          method,
          path,
          status: res.statusCode,
          answered: res.writableFinished,
          durationMs: Math.round(performance.now() - began),
        },
        'Request',
      );
    });
    next();
  };
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE']);
/** Whatever a stranger can make up is one value. */
const OTHER = 'other';

/**
 * Counts the requests to the routes for the CDS API, by the route's template. A request without a
 * route, or refused before it, is `other`.
 */
export function createRequestMetrics(
  metrics: Pick<Metrics, 'counter' | 'histogram'>,
  service: string,
): RequestHandler {
  const requests = metrics.counter({
    name: `cds_${service}_http_requests_total`,
    help: 'Requests to the routes for the CDS API, by route (a template, or other) and class of status; none: gone before the answer.',
    labels: ['route', 'method', 'status'],
  });
  const seconds = metrics.histogram({
    name: `cds_${service}_http_request_duration_seconds`,
    help: 'Time in which requests to the routes for the CDS API were answered.',
    labels: ['route', 'method'],
    buckets: [0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60],
  });
  return (req, res, next) => {
    const began = performance.now();
    const method = METHODS.has(req.method) ? req.method : OTHER;
    res.once('close', () => {
      const route = templateOf(req);
      const status = res.writableFinished ? `${Math.floor(res.statusCode / 100)}xx` : 'none';
      requests.inc({ route, method, status });
      seconds.observe({ route, method }, (performance.now() - began) / 1_000);
    });
    next();
  };
}

/** A span for each request of the CDS API, in the trace of its headers, which are to be trusted. */
export function traceRequests(tracing: Tracing): RequestHandler {
  return (req, res, next) => {
    const { method } = req;
    const span = tracing.begin({
      name: method,
      kind: 'server',
      parent: req.headers,
      attributes: { 'http.request.method': method },
    });
    res.once('close', () => {
      const route = templateOf(req);
      span.rename(`${method} ${route}`);
      span.set({ 'http.route': route, 'http.response.status_code': res.statusCode });
      if (!res.writableFinished) span.fail('abandoned');
      else if (res.statusCode >= 500) span.fail(String(res.statusCode));
      span.end();
    });
    span.within(next);
  };
}

/** The template of the request's route; `other` where it has none. */
function templateOf(req: Request): string {
  const path: unknown = (req.route as { path?: unknown } | undefined)?.path;
  return typeof path === 'string' ? path : OTHER;
}
