import { setTimeout as sleep } from 'node:timers/promises';
import type { Metrics } from './create-metrics';

const MAX_MS = 1_000;

/**
 * @param redis.isUp whether it answers: asked with each scrape, and given a second
 * @param redis.refusal why it refused a write, until it takes one again
 */
export function createRedisMetrics(
  metrics: Pick<Metrics, 'gauge' | 'service'>,
  redis: { isUp: () => Promise<boolean>; refusal: () => string | undefined },
): void {
  metrics.gauge({
    aggregator: 'min',
    name: `cds_${metrics.service}_redis_up`,
    help: '1 when Redis answered this scrape.',
    async collect() {
      const answered = redis.isUp().catch(() => false);
      this.set(Number(await Promise.race([answered, sleep(MAX_MS, false, { ref: false })])));
    },
  });
  metrics.gauge({
    aggregator: 'min',
    name: `cds_${metrics.service}_redis_writable`,
    help: '0 since Redis refused a write, until it takes one again; 1 also while it is away.',
    collect() {
      this.set(redis.refusal() === undefined ? 1 : 0);
    },
  });
}
