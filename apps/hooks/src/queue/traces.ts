import type { CdsApiClient } from '@cds/api-client';
import type { Clock } from '@cds/hooks-store';
import type { RunTraces } from '@cds/redis';
import type { Tracing } from '@cds/tracing';
import type { Processor } from './processor';

/**
 * A span for each try of an execution, in the trace of its delivery: after a restart and in other
 * replicas, too. What comes of no delivery begins a trace.
 */
export function traceExecutions(processor: Processor, tracing: Tracing, now: Clock): Processor {
  return (lock, pending, mayTakeNext) => {
    const { execution, config, state } = pending;
    const { type, timestamp, accepted_at, traceparent, request_id } = execution;
    const start = {
      ...{ name: `process ${type}`, kind: 'consumer' as const, parent: { traceparent } },
      attributes: {
        ...{ 'cds.hook': lock.uuid, 'cds.hook.type': type, 'cds.execution': String(timestamp) },
        ...{ 'cds.request_id': request_id, 'cds.execution.retries': state.retries },
        'cds.project': config?.project?.value,
        'cds.workflow': config?.workflow?.value,
        // From its acceptance, or since it was sent again.
        'cds.execution.waited_ms': now() - (state.queued_at ?? accepted_at),
      },
    };
    return tracing.run(start, async (span) => {
      const outcome = await processor(lock, pending, mayTakeNext);
      span.set({ 'cds.execution.outcome': outcome.kind });
      return outcome;
    });
  };
}

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
