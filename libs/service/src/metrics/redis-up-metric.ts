import { setTimeout as sleep } from 'node:timers/promises';
import type { Metrics } from './create-metrics';

const MAX_MS = 1_000;

/** Whether Redis answers, asked with each scrape and given a second. */
export function createRedisUpMetric(
  metrics: Pick<Metrics, 'gauge' | 'service'>,
  ask: () => Promise<unknown>,
): void {
  metrics.gauge({
    aggregator: 'min',
    name: `cds_${metrics.service}_redis_up`,
    help: '1 when Redis answered this scrape.',
    async collect() {
      const answered = ask().then(
        () => 1,
        () => 0,
      );
      this.set(await Promise.race([answered, sleep(MAX_MS, 0, { ref: false })]));
    },
  });
}
