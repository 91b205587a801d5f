import { type CdsApiClient, isApiError } from '@cds/api-client';
import { countFromZero, type Metrics } from '@cds/service';

type RunWorkflow = CdsApiClient['runWorkflow'];

/** `ok`, the kind of the API's error, or `failed` for a bug of this service. */
const RESULTS = ['ok', 'refused', 'unavailable', 'unauthorized', 'failed'];

/** Measures the calls that start runs. */
export function measureRuns(
  api: { runWorkflow: RunWorkflow },
  metrics: Pick<Metrics, 'counter' | 'histogram'>,
): { runWorkflow: RunWorkflow } {
  const runs = metrics.counter({
    name: 'cds_hooks_runs_total',
    help:
      'Calls that asked the CDS API for a run, by its answer; a delivery may need several, and is ' +
      'tried without end while the API is unavailable or answers unauthorized.',
    labels: ['result'],
  });
  const seconds = metrics.histogram({
    name: 'cds_hooks_run_duration_seconds',
    help: 'Time that the CDS API took when it was asked for a run, whatever it answered.',
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  });
  countFromZero(runs, { result: RESULTS });

  return {
    async runWorkflow(call) {
      const end = seconds.startTimer();
      let result = 'failed';
      try {
        const started = await api.runWorkflow(call);
        result = 'ok';
        return started;
      } catch (error) {
        if (isApiError(error)) result = error.kind;
        throw error;
      } finally {
        runs.inc({ result });
        end();
      }
    },
  };
}
