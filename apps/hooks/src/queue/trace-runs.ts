import type { CdsApiClient } from '@cds/api-client';
import type { RunTraces } from '@cds/redis';
import type { Tracing } from '@cds/tracing';

type RunWorkflow = CdsApiClient['runWorkflow'];

const ROUTE = '/project/{key}/workflows/{name}/runs';

/**
 * A span for each call that asks for a run. Its context is stored for `vcs`, whose build statuses
 * are part of the trace: the API of most generations hands no context on.
 */
export function traceRuns(
  api: { runWorkflow: RunWorkflow },
  tracing: Tracing,
  runTraces: RunTraces,
): { runWorkflow: RunWorkflow } {
  return {
    runWorkflow(call) {
      const { project, workflow } = call;
      const start = {
        ...{ name: `POST ${ROUTE}`, kind: 'client' as const },
        attributes: {
          ...{ 'http.request.method': 'POST', 'url.template': ROUTE },
          ...{ 'cds.project': project, 'cds.workflow': workflow },
        },
      };
      return tracing.run(start, async (span) => {
        const started = await api.runWorkflow(call);
        const { runNumber: number } = started;
        span.set({ 'cds.run.number': number });
        const traceparent = tracing.traceparent();
        if (number > 0 && traceparent) runTraces.save({ project, workflow, number }, traceparent);
        return started;
      });
    },
  };
}
