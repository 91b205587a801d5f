import { HOOK_QUEUE, hookJobId } from '@cds/hooks-store';
import type { Logger } from '@cds/service';
import type { Job } from 'bullmq';
import { maxEntries } from '@cds/service';
import { LRUCache } from 'lru-cache';
import type { WaitingJobData } from './api-outage';
import { createReconnectingQueue, type QueueRedis } from './reconnecting-queue';

/** Of BullMQ's delayed jobs. */
const BULL_SCORES_PER_MS = 0x1000;
const RESUMED_AT_ONCE = 500;
/** A lost job goes unnoticed by new deliveries for at most this long. */
const ENSURED_MS = 1_000;
/** A hook beyond these gets a job with each delivery, which BullMQ ignores if it exists. */
const MAX_ENSURED = 10_000;

export interface HookJob extends WaitingJobData {
  uuid: string;
}

export type HookQueue = ReturnType<typeof createHookQueue>;

/**
 * One job for each hook that has pending executions. Executions are in the hook's list, so a lost
 * job loses nothing (a sweep requeues it), and a needless one finds an empty list.
 */
export function createHookQueue(deps: QueueRedis & { logger: Logger }) {
  const { redis, logger } = deps;
  const reconnecting = createReconnectingQueue<HookJob>(HOOK_QUEUE, deps);
  const underWay = new Map<string, 'adding' | 'add again'>();
  const ensured = new LRUCache<string, true>({ ...maxEntries(MAX_ENSURED), ttl: ENSURED_MS });

  async function add(uuid: string, delay = 0): Promise<Job<HookJob>> {
    const options = { delay, removeOnComplete: true, removeOnFail: true };
    return reconnecting.queue.add(HOOK_QUEUE, { uuid }, { jobId: hookJobId(uuid), ...options });
  }

  async function addUntilSettled(uuid: string): Promise<void> {
    try {
      do {
        underWay.set(uuid, 'adding');
        await add(uuid);
      } while (underWay.get(uuid) === 'add again');
    } catch (error) {
      logger.debug({ error, hook: uuid }, 'failed to enqueue a hook: the next sweep does');
    } finally {
      underWay.delete(uuid);
    }
  }

  function ensureSoon(uuid: string): void {
    ensured.set(uuid, true);
    if (underWay.has(uuid)) underWay.set(uuid, 'add again');
    else void addUntilSettled(uuid);
  }

  async function promote(uuid: string): Promise<void> {
    const job = await reconnecting.queue.getJob(hookJobId(uuid));
    if (job && (await job.isDelayed())) await job.promote();
    else if (!job) await add(uuid);
  }

  return {
    get queue() {
      return reconnecting.queue;
    },

    /**
     * Adds the hook's job in the background; BullMQ ignores a job that exists. Calls during an
     * earlier call for the same hook become a single further one.
     */
    ensureSoon,

    /**
     * {@link ensureSoon} for a stored delivery, the `waiting`-th pending execution of the hook.
     * Those behind the first add the job only if none was added within a second.
     */
    arrived(uuid: string, waiting: number): void {
      if (waiting === 1 || !ensured.has(uuid)) ensureSoon(uuid);
    },

    /** Adds the job of a hook that pauses until then (ms), or finds it. */
    addPaused: (uuid: string, until: number) => add(uuid, Math.max(0, until - Date.now())),

    /** Adds missing jobs in two round trips. @returns how many */
    async ensureAll(uuids: string[]): Promise<number> {
      if (uuids.length === 0) return 0;
      const pipeline = redis.pipeline();
      for (const uuid of uuids) pipeline.exists(reconnecting.queue.toKey(hookJobId(uuid)));
      const replies = (await pipeline.exec()) ?? [];
      const missing = uuids.filter((_, index) => replies[index]?.[1] === 0);
      await Promise.all(missing.map((uuid) => add(uuid)));
      return missing.length;
    },

    /**
     * Resumes jobs whose pause ends after `latest` (ms): the clock was put back since it began.
     * @returns how many
     */
    async resumeOverslept(latest: number): Promise<number> {
      const key = reconnecting.queue.toKey('delayed');
      const after = latest * BULL_SCORES_PER_MS;
      const ids = await redis.zrangebyscore(key, after, '+inf', 'LIMIT', 0, RESUMED_AT_ONCE);
      for (const id of ids) {
        try {
          await (await reconnecting.queue.getJob(id))?.promote();
        } catch (error) {
          // Its pause has just ended.
          logger.debug({ error, job: id }, 'failed to resume a paused job');
        }
      }
      return ids.length;
    },

    /** Ends the pause of the hook's job, or adds the job. */
    promote,

    /** {@link promote}. Never rejects: a sweep repeats what fails. */
    resume: (uuid: string): Promise<void> =>
      promote(uuid).catch((error: unknown) => {
        logger.debug({ error, hook: uuid }, 'failed to resume a hook: the next sweep does');
      }),

    close: reconnecting.close,
  };
}
