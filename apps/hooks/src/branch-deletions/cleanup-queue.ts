import { errorText } from '../error-text';
import type { Logger } from '@cds/service';
import type { Redis } from 'ioredis';
import type { WaitingJobData } from '../executions/api-waiters';
import { cleanupJobId } from '../executions/job-ids';
import { createSteadyQueue } from '../executions/steady-queue';

export const CLEANUP_QUEUE = 'branch-deletion';

/** What the job of a cleanup carries: nothing but which one. */
export interface CleanupJob extends WaitingJobData {
  id: string;
}

export type CleanupQueue = ReturnType<typeof createCleanupQueue>;

/** One delayed job for each cleanup, to ring when it is due. */
export function createCleanupQueue(deps: { redis: Redis; logger: Logger }) {
  const steady = createSteadyQueue<CleanupJob>(CLEANUP_QUEUE, deps);

  async function add(id: string, delayMs: number): Promise<void> {
    await steady.queue.add(
      CLEANUP_QUEUE,
      { id },
      {
        jobId: cleanupJobId(id),
        delay: Math.max(0, delayMs),
        removeOnComplete: true,
        removeOnFail: true,
      },
    );
  }

  return {
    get queue() {
      return steady.queue;
    },
    /**
     * Adds the job, unless there is one: that one looks at the record when it rings, and goes to sleep again if it
     * is not due yet.
     */
    async ring(id: string, delayMs: number): Promise<void> {
      try {
        await add(id, delayMs);
      } catch (error) {
        deps.logger.debug(
          { error: errorText(error), cleanup: id },
          'a cleanup was not queued: the sweep will',
        );
      }
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
