import { errorText } from '../error-text';
import type { Logger } from '@cds/service';
import type { Redis } from 'ioredis';
import type { WaitingJobData } from '../executions/api-waiters';
import { cleanupJobId } from '../executions/job-ids';
import { createSteadyQueue } from '../executions/steady-queue';
import { AHEAD_MS } from './ring-ahead';

export const CLEANUP_QUEUE = 'branch-deletion';

/** What the job of a cleanup carries: nothing but which one. */
export interface CleanupJob extends WaitingJobData {
  id: string;
}

/** A cleanup that is due later has its job later. Twice as long, since clocks of replicas differ. */
const NEAR_MS = 2 * AHEAD_MS;

export type CleanupQueue = ReturnType<typeof createCleanupQueue>;

/** One delayed job for each cleanup that is due soon, to ring when it is. */
export function createCleanupQueue(deps: { redis: Redis; logger: Logger }) {
  const steady = createSteadyQueue<CleanupJob>(CLEANUP_QUEUE, deps);

  function jobOf(id: string, delayMs: number) {
    return {
      name: CLEANUP_QUEUE,
      data: { id },
      opts: {
        jobId: cleanupJobId(id),
        delay: Math.max(0, delayMs),
        removeOnComplete: true,
        removeOnFail: true,
      },
    };
  }

  async function add(id: string, delayMs: number): Promise<void> {
    const { name, data, opts } = jobOf(id, delayMs);
    await steady.queue.add(name, data, opts);
  }

  return {
    get queue() {
      return steady.queue;
    },
    /**
     * Adds the job, unless there is one: that one looks at the record when it rings, and goes to sleep again if it
     * is not due yet. One that is due long from now gets its job later, from `createRingAhead`.
     */
    async ring(id: string, delayMs: number): Promise<void> {
      if (delayMs > NEAR_MS) return;
      try {
        await add(id, delayMs);
      } catch (error) {
        deps.logger.debug(
          { error: errorText(error), cleanup: id },
          'a cleanup was not queued: the sweep will',
        );
      }
    },
    /** Adds the jobs that are missing, in one round trip. */
    async ringAll(cleanups: readonly { id: string; delayMs: number }[]): Promise<void> {
      if (cleanups.length === 0) return;
      await steady.queue.addBulk(cleanups.map(({ id, delayMs }) => jobOf(id, delayMs)));
    },
    /** Lets the job look at its record now. */
    async ringNow(id: string): Promise<void> {
      const job = await steady.queue.getJob(cleanupJobId(id));
      if (job && (await job.isDelayed())) await job.promote();
      else if (!job) await add(id, 0);
    },
    async close(): Promise<void> {
      await steady.close();
    },
  };
}
