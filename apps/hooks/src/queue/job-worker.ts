import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@cds/service';
import { DelayedError, type Job, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { jobPrefix } from '@cds/hooks-store';

/** BullMQ's default of five seconds would lengthen a short pause that begins while it waits. */
const DRAIN_DELAY_SECONDS = 1;
const CLOSE_POLL_MS = 20;

export type JobOutcome =
  | { kind: 'end' }
  /** `delayed`: called when the job pauses and can be promoted. Never rejects. */
  | { kind: 'delay'; until: number; delayed?: () => Promise<void> };

/**
 * After a check for stalled jobs that Redis refused, BullMQ waits five seconds, its closing
 * notwithstanding, and then for the next check. The latter wait ends with the worker, and does.
 */
class EndingWorker<Data> extends Worker<Data> {
  protected override checkConnectionError<T>(work: () => Promise<T>): Promise<T | undefined> {
    return super.checkConnectionError(work, 0);
  }

  /** BullMQ renews locks until the last job has ended, which some jobs never do without Redis. */
  endRenewals(): Promise<void> {
    return this.lockManager.close();
  }
}

/**
 * A BullMQ worker. A job is only a reason to look at Redis: it never fails for good, and a stalled
 * job runs again any number of times. A paused job is given back with a delay.
 */
export function createJobWorker<Data>(deps: {
  queue: string;
  /** Without a key prefix of its own: BullMQ refuses one. */
  connection: Redis;
  keyPrefix?: string | undefined;
  logger: Logger;
  concurrency: number;
  /** BullMQ's lock and stall check (ms). */
  lockMs?: number | undefined;
  process: (job: Job<Data>) => Promise<JobOutcome>;
  /** Called after the job is removed. */
  ended?: (job: Job<Data>) => void;
}) {
  const { logger, lockMs = 5_000 } = deps;
  let inProgress = 0;

  async function process(job: Job<Data>): Promise<JobOutcome> {
    inProgress++;
    try {
      return await deps.process(job);
    } finally {
      inProgress--;
    }
  }

  const worker = new EndingWorker<Data>(
    deps.queue,
    async (job, token) => {
      const outcome = await process(job);
      if (outcome.kind === 'end') return;
      await job.moveToDelayed(outcome.until, token);
      await outcome.delayed?.();
      throw new DelayedError();
    },
    {
      connection: deps.connection,
      prefix: jobPrefix(deps.keyPrefix),
      concurrency: deps.concurrency,
      lockDuration: lockMs,
      // A frequent check finds stalled jobs sooner, and takes no job whose lock is held.
      stalledInterval: lockMs / 2,
      drainDelay: DRAIN_DELAY_SECONDS,
      maxStalledCount: 1_000_000_000,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    },
  );
  worker.on('error', (error) => logger.debug({ error, queue: deps.queue }, 'worker'));
  worker.on('failed', (job, error) => {
    // The stack, since this may be a bug; not the error, which may hold a delivery.
    logger.warn(
      { stack: error.stack, job: job?.id },
      'a job broke off: the next sweep requeues it',
    );
  });
  worker.on('completed', (job) => deps.ended?.(job));

  return {
    /**
     * Takes no further job and waits for those in progress. The caller then ends the connection:
     * BullMQ waits for ever when Redis is away.
     */
    async close(deadlineMs: number): Promise<void> {
      let closed = false as boolean;
      void worker
        .close()
        .catch((error: unknown) => logger.debug({ error }, 'worker closed'))
        .finally(() => (closed = true));
      const until = Date.now() + deadlineMs;
      const nothingToWaitFor = () => inProgress === 0 && deps.connection.status !== 'ready';
      while (!closed && !nothingToWaitFor() && Date.now() < until) await sleep(CLOSE_POLL_MS);
      if (closed) return;
      if (!nothingToWaitFor())
        logger.warn(
          { queue: deps.queue, jobs: inProgress },
          'no time is left for jobs in progress: other replicas resume them',
        );
      await worker.endRenewals();
    },
  };
}
