import { createHash, randomUUID } from 'node:crypto';
import type { Logger } from '@cds/service';
import type { Job } from 'bullmq';
import type { WaitingJobData } from './api-outage';
import { createReconnectingQueue, type QueueRedis } from './reconnecting-queue';

export const CLEANUP_QUEUE = 'branch-deletion';

/** A job has one cleanup, or those that are due together. */
export type CleanupJob = WaitingJobData & ({ id: string } | { ids: readonly string[] });

/** Sweeps create jobs at most this long before they are due: many times the sweep interval. */
export const AHEAD_MS = 60_000;
/** Doubled to allow for clock skew between replicas. */
const NEAR_MS = 2 * AHEAD_MS;

export type CleanupQueue = ReturnType<typeof createCleanupQueue>;

/** BullMQ's ids must hold no colon and must not be all digits. */
export function cleanupJobId(id: string): string {
  return `cleanup-${id}`;
}

/** Delayed jobs, one for each cleanup that is due soon or for some that are due together. */
export function createCleanupQueue(deps: QueueRedis & { logger: Logger }) {
  const reconnecting = createReconnectingQueue<CleanupJob>(CLEANUP_QUEUE, deps);

  function jobOf(ids: readonly string[], delayMs: number, suffix = '') {
    const [id = ''] = ids;
    const isAlone = ids.length === 1;
    const jobId = isAlone ? cleanupJobId(id) : groupJobId(ids) + suffix;
    const delay = Math.max(0, delayMs);
    return {
      name: CLEANUP_QUEUE,
      data: isAlone ? { id } : { ids },
      opts: { jobId, delay, removeOnComplete: true, removeOnFail: true },
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
     * Adds the job unless it exists: an existing job reads when the cleanup is due. A cleanup that
     * is due much later gets its job from `createEnqueueDueCleanups`.
     */
    async enqueue(id: string, delayMs: number): Promise<void> {
      if (delayMs > NEAR_MS) return;
      try {
        await add(id, delayMs);
      } catch (error) {
        deps.logger.debug(
          { error, cleanup: id },
          'failed to enqueue a cleanup: the next sweep does',
        );
      }
    },
    /** Adds the job however late it is due, or finds it. */
    enqueueAlone: add,
    /** Adds missing jobs, one for each group, in one round trip. */
    async enqueueAll(
      groups: readonly { ids: readonly string[]; delayMs: number }[],
    ): Promise<void> {
      if (groups.length === 0) return;
      await reconnecting.queue.addBulk(groups.map(({ ids, delayMs }) => jobOf(ids, delayMs)));
    },
    /** For the rest of a group whose job has not ended: a job with another id. */
    async enqueueAgain(ids: readonly string[], delayMs: number): Promise<void> {
      if (ids.length === 0) return;
      const { name, data, opts } = jobOf(ids, delayMs, `-${randomUUID()}`);
      await reconnecting.queue.add(name, data, opts);
    },
    /** Makes the job run now. */
    async enqueueNow(id: string): Promise<void> {
      const job = await reconnecting.queue.getJob(cleanupJobId(id));
      if (job && (await job.isDelayed())) await job.promote();
      else if (!job) await add(id, 0);
    },
    close: reconnecting.close,
  };
}

function groupJobId(ids: readonly string[]): string {
  return `cleanups-${createHash('sha256').update(ids.join()).digest('hex')}`;
}
