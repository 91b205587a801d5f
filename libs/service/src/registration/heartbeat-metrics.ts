import { countFromZero, type Metrics } from '../metrics/create-metrics';

/** Counts heartbeats to the CDS API, the first registration and those after a 401 included. */
export function createHeartbeatMetrics(
  metrics: Pick<Metrics, 'counter' | 'gauge'>,
  service: string,
  failuresInARow: () => number,
) {
  const heartbeats = metrics.counter({
    name: `cds_${service}_heartbeats_total`,
    help: 'Heartbeats to the CDS API, the registration included.',
    labels: ['result'],
  });
  countFromZero(heartbeats, { result: ['ok', 'failed'] });
  const lastSuccess = metrics.gauge({
    name: `cds_${service}_heartbeat_success_timestamp_seconds`,
    help: 'When the CDS API last took a heartbeat; 0 before the first time.',
  });
  metrics.gauge({
    name: `cds_${service}_heartbeat_failures`,
    help: 'Heartbeats that failed in a row; an API that was never there does not count.',
    collect() {
      this.set(failuresInARow());
    },
  });

  return (result: 'ok' | 'failed'): void => {
    heartbeats.inc({ result });
    if (result === 'ok') lastSuccess.set(Date.now() / 1_000);
  };
}
