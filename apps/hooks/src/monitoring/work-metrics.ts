import type { Logger, Metrics } from '@cds/service';
import type { Redis } from 'ioredis';
import { KEYS, repliesOf } from '@cds/hooks-store';
import { answeredByRedis } from '../redis-deadline';

/** What stands in Redis, over all replicas. */
interface Counts {
  deadExecutions: number;
  deadCleanups: number;
  waiting: number;
  cleanupsPending: number;
}

const REDIS_MS = 1_000;
/** Hooks that are remembered to have lost dead letters, so that each is told of once. */
const MOST_REMEMBERED = 10_000;

export type WorkMetrics = ReturnType<typeof createWorkMetrics>;

/**
 * Counts what this process worked off, and shows what waits and what failed. Whatever is to be read of Redis for a
 * scrape is one pipeline; when Redis does not answer within a second those gauges have no value.
 */
export function createWorkMetrics(deps: { redis: Redis; metrics: Metrics; logger: Logger }) {
  const { redis, metrics, logger } = deps;
  let underWay: Promise<Counts | undefined> | undefined;
  let told = new Set<string>();
  let toldOfCleanups = false;

  async function readCounts(): Promise<Counts | undefined> {
    const pipeline = redis
      .pipeline()
      .zcard(KEYS.failed)
      .zcount(KEYS.failedCleanups, '0', '+inf')
      .get(KEYS.waitingTotal)
      .zcard(KEYS.cleanups);
    try {
      const replies = await answeredByRedis(() => repliesOf(pipeline), REDIS_MS);
      const [deadExecutions = 0, deadCleanups = 0, waiting = 0, cleanupsPending = 0] =
        replies.map(Number);
      return { deadExecutions, deadCleanups, waiting, cleanupsPending };
    } catch {
      return undefined;
    }
  }

  /** All gauges of one scrape ask at the same moment. */
  function counts(): Promise<Counts | undefined> {
    underWay ??= readCounts().finally(() => (underWay = undefined));
    return underWay;
  }

  const executions = metrics.counter({
    name: 'cds_hooks_executions_total',
    help: 'Executions that this process worked off: done, or failed for good.',
    labels: ['result'],
  });
  const cleanups = metrics.counter({
    name: 'cds_hooks_cleanups_total',
    help: 'Cleanups of deleted branches: done, failed for good, or cancelled because the branch is back.',
    labels: ['result'],
  });
  const outgoing = metrics.counter({
    name: 'cds_hooks_outgoing_calls_total',
    help: 'Outgoing hooks that were executed: with success, failed after all tries, or nothing to do because no run waits.',
    labels: ['kind', 'result'],
  });
  const dropped = metrics.counter({
    name: 'cds_hooks_dead_letters_dropped_total',
    help: 'Dead letters that gave way to newer ones (deadLetters).',
  });
  for (const result of ['done', 'failed']) executions.inc({ result }, 0);
  for (const result of ['done', 'failed', 'cancelled']) cleanups.inc({ result }, 0);
  for (const kind of ['webhook', 'workflow'])
    for (const result of ['success', 'failed', 'nothing']) outgoing.inc({ kind, result }, 0);

  metrics.gauge({
    name: 'cds_hooks_redis_up',
    help: '1 when Redis answered this scrape.',
    async collect() {
      this.set((await counts()) ? 1 : 0);
    },
  });
  metrics.gauge({
    name: 'cds_hooks_dead_letters',
    help: 'Executions and cleanups that failed for good, over all replicas.',
    labels: ['kind'],
    async collect() {
      const now = await counts();
      this.reset();
      if (!now) return;
      this.set({ kind: 'execution' }, now.deadExecutions);
      this.set({ kind: 'cleanup' }, now.deadCleanups);
    },
  });
  metrics.gauge({
    name: 'cds_hooks_waiting_deliveries',
    help: 'Deliveries that wait to be worked off, over all replicas.',
    async collect() {
      const now = await counts();
      if (now) this.set(now.waiting);
      else this.remove();
    },
  });
  metrics.gauge({
    name: 'cds_hooks_cleanups_pending',
    help: 'Scheduled cleanups of deleted branches, over all replicas.',
    async collect() {
      const now = await counts();
      if (now) this.set(now.cleanupsPending);
      else this.remove();
    },
  });

  return {
    executionEnded(uuid: string, result: 'done' | 'failed', deadLettersDropped: number): void {
      executions.inc({ result });
      if (deadLettersDropped === 0) return;
      dropped.inc(deadLettersDropped);
      if (told.has(uuid)) return;
      if (told.size >= MOST_REMEMBERED) told = new Set();
      told.add(uuid);
      logger.error(
        { hook: uuid, dropped: deadLettersDropped },
        'more executions of a task failed than deadLetters keeps: the oldest are dropped from now on; send them again (engine hooks dead-letters retry) or drop them',
      );
    },

    outgoingCalled(kind: 'webhook' | 'workflow', result: 'success' | 'failed' | 'nothing'): void {
      outgoing.inc({ kind, result });
    },

    cleanupEnded(result: 'done' | 'failed' | 'cancelled', deadLettersDropped = 0): void {
      cleanups.inc({ result });
      if (deadLettersDropped === 0) return;
      dropped.inc(deadLettersDropped);
      if (toldOfCleanups) return;
      toldOfCleanups = true;
      logger.error(
        { dropped: deadLettersDropped },
        'more cleanups of deleted branches failed than deadLetters keeps: the oldest are dropped from now on, and the runs of their branches stay; send them again (engine hooks dead-letters retry) or drop them',
      );
    },
  };
}
