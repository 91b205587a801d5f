import type { Metrics } from './create-metrics';

/**
 * @param refusal why Redis refused a write, until it takes one again; undefined where it takes them
 */
export function createRedisWritableMetric(
  metrics: Pick<Metrics, 'gauge' | 'service'>,
  refusal: () => string | undefined,
): void {
  metrics.gauge({
    aggregator: 'min',
    name: `cds_${metrics.service}_redis_writable`,
    help: '0 since Redis refused a write, until it takes one again; 1 also while it is away.',
    collect() {
      this.set(refusal() === undefined ? 1 : 0);
    },
  });
}
