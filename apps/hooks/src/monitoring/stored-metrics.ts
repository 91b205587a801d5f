import { createRedisMetrics } from '@cds/service';
import { createStoredCounts } from '@cds/hooks-store';
import { answeredByRedis } from '@cds/redis';
import type { Resources } from '../resources';

interface StoredGauge {
  name: string;
  help: string;
  label?: string;
  values: (counts: Counts) => readonly [label: string, value: number][];
}

type Counts = Awaited<ReturnType<ReturnType<typeof createStoredCounts>['forMetrics']>>;

/** 0 for no `then` (ms), or one in the future, by the clock of another replica. */
export function secondsSince(then: number | undefined): number {
  return then === undefined ? 0 : Math.max(0, (Date.now() - then) / 1_000);
}

/** Shorter than the second that a scrape may wait. */
const REDIS_MS = 900;

const GAUGES: readonly StoredGauge[] = [
  {
    name: 'cds_hooks_waiting_deliveries',
    help: 'Pending executions, those of stopped tasks too, over all replicas.',
    values: ({ waiting }) => [['', waiting]],
  },
  {
    name: 'cds_hooks_oldest_waiting_delivery_seconds',
    help:
      'How long the delivery has waited that waits longest, over all replicas; 0 when none ' +
      'does. A retry counts anew.',
    label: 'task',
    values: ({ oldestSince }) =>
      Object.entries(oldestSince).map(([task, since]) => [task, secondsSince(since)]),
  },
  {
    name: 'cds_hooks_stopped_tasks',
    help: 'Tasks that an operator stopped: their deliveries wait.',
    values: ({ tasksStopped }) => [['', tasksStopped]],
  },
  {
    name: 'cds_hooks_dead_letters',
    help: 'Executions and cleanups that failed for good, over all replicas.',
    label: 'kind',
    values: ({ dead }) => [
      ['execution', dead.executions],
      ['cleanup', dead.cleanups],
    ],
  },
  {
    name: 'cds_hooks_cleanups_pending',
    help: 'Scheduled cleanups of deleted branches, over all replicas.',
    values: ({ cleanups }) => [['', cleanups.pending]],
  },
  {
    name: 'cds_hooks_cleanups_due',
    help: 'Those of the scheduled cleanups whose time has come: the CDS API is about to be asked.',
    values: ({ cleanups }) => [['', cleanups.due]],
  },
  {
    name: 'cds_hooks_cleanups_stopped',
    help: 'Cleanups that an operator stopped.',
    values: ({ cleanups }) => [['', cleanups.stopped]],
  },
];

/**
 * Metrics of the state in Redis, over all replicas. A scrape costs one pipeline of commands that
 * scan nothing. Gauges have no value if Redis does not answer.
 *
 * @param whyNoWrites undefined while Redis takes writes
 */
export function createStoredMetrics(
  resources: Pick<Resources, 'redis' | 'metrics'>,
  whyNoWrites: () => string | undefined,
): void {
  const { metrics } = resources;
  const stored = createStoredCounts(resources);
  let reading: Promise<Counts | undefined> | undefined;
  const read = (): Promise<Counts | undefined> =>
    answeredByRedis(() => stored.forMetrics(Date.now()), REDIS_MS).catch(() => undefined);
  /** All gauges of a scrape share one read. */
  const counts = () => (reading ??= read().finally(() => (reading = undefined)));

  createRedisMetrics(metrics, {
    isUp: async () => (await counts()) !== undefined,
    refusal: whyNoWrites,
  });
  metrics.counter({
    name: 'cds_hooks_deliveries_lost_total',
    help:
      'Accepted deliveries that vanished from Redis before they were processed, over all ' +
      'replicas, until they are acknowledged.',
    // Each process reads the same.
    aggregator: 'max',
    async collect() {
      const now = await counts();
      // 0 during an outage of Redis would be a reset of the counter.
      this.remove();
      if (now) this.inc(now.lost);
    },
  });
  for (const { name, help, label, values } of GAUGES) {
    metrics.gauge<string>({
      name,
      help,
      labels: label === undefined ? [] : [label],
      async collect() {
        const now = await counts();
        // After `reset`, a gauge without labels is 0, which is wrong during an outage of Redis.
        if (label === undefined) this.remove();
        else this.reset();
        for (const [of, value] of now ? values(now) : []) {
          if (label === undefined) this.set(value);
          else this.set({ [label]: of }, value);
        }
      },
    });
  }
}
