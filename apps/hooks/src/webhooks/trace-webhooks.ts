import type { FastPathHandler } from '@cds/service';
import type { Tracing } from '@cds/tracing';

/**
 * Begins a trace with each delivery. A context that came with it becomes a link: its sender is a
 * stranger, who must neither join traces nor decide what is sampled. Refused requests have no span,
 * or a flood of them would take the place of all others.
 */
export function traceWebhooks(handle: FastPathHandler, tracing: Tracing): FastPathHandler {
  return (request, response, match) => {
    const { method = '', headers } = request;
    const start = {
      ...{ name: `${method} /webhook/{uuid}`, kind: 'server' as const, parent: {}, link: headers },
      attributes: { 'http.request.method': method, 'http.route': '/webhook/{uuid}' },
    };
    return tracing.run(start, async (span) => {
      await handle(request, response, match);
      const { statusCode, writableEnded } = response;
      if (!writableEnded || (statusCode >= 400 && statusCode < 500)) return span.discard();
      span.set({ 'http.response.status_code': statusCode });
      if (statusCode >= 500) span.fail(String(statusCode));
    });
  };
}
