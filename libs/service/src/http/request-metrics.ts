import type { Request, RequestHandler } from 'express';
import type { Metrics } from '../metrics/create-metrics';

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
    help: 'Requests to the routes for the CDS API, by route and class of status; none: gone before the answer.',
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

/** The template of the request's route; `other` where it has none. */
export function templateOf(req: Request): string {
  const path: unknown = (req.route as { path?: unknown } | undefined)?.path;
  return typeof path === 'string' ? path : OTHER;
}
