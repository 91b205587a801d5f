import type { Tracing } from '@cds/tracing';
import type { RequestHandler } from 'express';
import { templateOf } from './request-metrics';

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
