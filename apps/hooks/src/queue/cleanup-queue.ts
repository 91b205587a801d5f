import { randomUUID } from 'node:crypto';
import type { Logger } from '@cds/service';
import type { Job } from 'bullmq';
import type { WaitingJobData } from './api-outage';
import { cleanupGroupJobId, cleanupJobId } from './job-ids';
import { createReconnectingQueue, type QueueRedis } from './reconnecting-queue';

export const CLEANUP_QUEUE = 'branch-deletion';

/** What the job of a cleanup carries: nothing but which one, or which ones are due together. */
export type CleanupJob = WaitingJobData & ({ id: string } | { ids: readonly string[] });

/** How long before a cleanup is due it has its job (ms): many times the pause between two sweeps. */
export const AHEAD_MS = 60_000;
/** A cleanup that is due later has its job later. Twice as long, since clocks of replicas differ. */
const NEAR_MS = 2 * AHEAD_MS;

export type CleanupQueue = ReturnType<typeof createCleanupQueue>;

/** A delayed job for each cleanup that is due soon, or for some that are due together, to ring when they are. */
export function createCleanupQueue(deps: QueueRedis & { logger: Logger }) {
  const reconnecting = createReconnectingQueue<CleanupJob>(CLEANUP_QUEUE, deps);

  function jobOf(ids: readonly string[], delayMs: number, suffix = '') {
    const [id = ''] = ids;
    const isAlone = ids.length === 1;
    const jobId = isAlone ? cleanupJobId(id) : cleanupGroupJobId(ids) + suffix;
    return {
      name: CLEANUP_QUEUE,
      data: isAlone ? { id } : { ids },
      opts: {
        jobId,
        delay: Math.max(0, delayMs),
        removeOnComplete: true,
        removeOnFail: true,
      },
    };
  }

  async function add(id: string, delayMs: number): Promise<Job<CleanupJob>> {
    const { name, data, opts } = jobOf([id], delayMs);
    return reconnecting.queue.add(name, data, opts);
  }

  return {
    get queue() {
      return reconnecting.queue;
    },
    /**
     * Adds the job, unless there is one: that one looks at the record when it rings, and goes to sleep again if it
     * is not due yet. One that is due long from now gets its job later, from `createEnqueueDueCleanups`.
     */
    async enqueue(id: string, delayMs: number): Promise<void> {
      if (delayMs > NEAR_MS) return;
      try {
        await add(id, delayMs);
      } catch (error) {
        deps.logger.debug({ error, cleanup: id }, 'a cleanup was not queued: the sweep will');
      }
    },
    /** Adds the job, however late it is to ring, or finds the one that there is. */
    enqueueAlone: add,
    /** Adds the jobs that are missing, one for each group, in one round trip. */
    async enqueueAll(
      groups: readonly { ids: readonly string[]; delayMs: number }[],
    ): Promise<void> {
      if (groups.length === 0) return;
      await reconnecting.queue.addBulk(groups.map(({ ids, delayMs }) => jobOf(ids, delayMs)));
    },
    /** For what is left of a group whose job is not over yet: a job of another name. */
    async enqueueAgain(ids: readonly string[], delayMs: number): Promise<void> {
      if (ids.length === 0) return;
      const { name, data, opts } = jobOf(ids, delayMs, `-${randomUUID()}`);
      await reconnecting.queue.add(name, data, opts);
    },
    /** Lets the job look at its record now. */
    async enqueueNow(id: string): Promise<void> {
      const job = await reconnecting.queue.getJob(cleanupJobId(id));
      if (job && (await job.isDelayed())) await job.promote();
      else if (!job) await add(id, 0);
    },
    async close(): Promise<void> {
      await reconnecting.close();
    },
  };
}
