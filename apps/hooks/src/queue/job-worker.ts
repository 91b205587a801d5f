import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@cds/service';
import { DelayedError, type Job, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { jobPrefix } from '@cds/hooks-store';

/**
 * How long BullMQ waits for a job before it looks at its delayed ones again (s). A pause of a moment, set while it
 * waits, would otherwise last its default of five seconds.
 */
const DRAIN_DELAY_SECONDS = 1;
/** How often a closing worker is looked at. */
const CLOSE_POLL_MS = 20;

/** What is to become of a job. */
export type JobOutcome =
  | { kind: 'end' }
  /** `delayed`: called when the job pauses, and so can be promoted. Never rejects. */
  | { kind: 'delay'; until: number; delayed?: () => Promise<void> };

export interface JobWorkerDeps<Data> {
  queue: string;
  /** Without a key prefix of its own: BullMQ refuses one. */
  connection: Redis;
  /** Put before the keys of all jobs; none when not given. */
  keyPrefix?: string | undefined;
  logger: Logger;
  concurrency: number;
  /** BullMQ's lock and stall check (ms); the same everywhere, since the longest wins. */
  lockMs?: number | undefined;
  process: (job: Job<Data>) => Promise<JobOutcome>;
  /** After the job is gone. */
  ended?: (job: Job<Data>) => void;
}

export interface JobWorker {
  /**
   * Takes no job any more and waits for those under way, at most this long. The connection is then to be ended: BullMQ
   * itself waits for ever when Redis is away.
   */
  close(deadlineMs: number): Promise<void>;
}

/**
 * A BullMQ worker as this service uses them: a job is only a reason to look at Redis, so it is never failed for
 * good, and pausing means giving it back with a delay, which holds no place of the worker.
 *
 * A job that stalls is given out again any number of times: whoever gets it finds out by itself what is left to do.
 */
export function createJobWorker<Data>(deps: JobWorkerDeps<Data>): JobWorker {
  const { logger, lockMs = 5_000 } = deps;
  let underWay = 0;

  async function process(job: Job<Data>): Promise<JobOutcome> {
    underWay++;
    try {
      return await deps.process(job);
    } finally {
      underWay--;
    }
  }

  const worker = new Worker<Data>(
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
      // Only a job whose lock is gone is given to another one: looking more often finds it sooner, and takes none away.
      stalledInterval: lockMs / 2,
      drainDelay: DRAIN_DELAY_SECONDS,
      maxStalledCount: 1_000_000_000,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    },
  );
  worker.on('error', (error) => logger.debug({ error, queue: deps.queue }, 'worker'));
  worker.on('failed', (job, error) => {
    // The stack, since this may be a mistake of ours; not the error, which may carry a delivery.
    logger.warn({ stack: error.stack, job: job?.id }, 'a job broke off: the sweep starts it again');
  });
  worker.on('completed', (job) => deps.ended?.(job));

  return {
    async close(deadlineMs) {
      let closed = false;
      void worker
        .close()
        .catch((error: unknown) => logger.debug({ error }, 'worker closed'))
        .finally(() => (closed = true));
      const until = Date.now() + deadlineMs;
      const nothingToWaitFor = () => underWay === 0 && deps.connection.status !== 'ready';
      while (!closed && !nothingToWaitFor()) {
        if (Date.now() >= until) {
          logger.warn(
            { queue: deps.queue, jobs: underWay },
            'jobs under way are left to others: no time is left for them',
          );
          return;
        }
        await sleep(CLOSE_POLL_MS);
      }
    },
  };
}
