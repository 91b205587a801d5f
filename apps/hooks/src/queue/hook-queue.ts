import type { Logger } from '@cds/service';
import { LRUCache } from 'lru-cache';
import type { WaitingJobData } from './api-outage';
import { hookJobId } from './job-ids';
import { createReconnectingQueue, type QueueRedis } from './reconnecting-queue';

export const HOOK_QUEUE = 'drain';

/** BullMQ's scores of delayed jobs: so many for each ms. */
const BULL_SCORES_PER_MS = 0x1000;
const WOKEN_AT_ONCE = 500;
/** A job that got lost is missed for so long at most by deliveries that come; the sweep comes a little later. */
const ENSURED_MS = 1_000;
/** A hook beyond these gets a job with each delivery, which BullMQ ignores where there is one. */
const MAX_ENSURED = 10_000;

/** What a drain job carries. */
export interface HookJob extends WaitingJobData {
  uuid: string;
}

export type HookQueue = ReturnType<typeof createHookQueue>;

/**
 * The jobs that say which hooks have work. They carry no delivery: those wait in the hook's list, in order, so
 * losing a job loses nothing (the sweep puts it back), and one too many finds an empty list.
 */
export function createHookQueue(deps: QueueRedis & { logger: Logger }) {
  const { redis, logger } = deps;
  const reconnecting = createReconnectingQueue<HookJob>(HOOK_QUEUE, deps);
  const underWay = new Map<string, 'adding' | 'add again'>();
  // Asked for each delivery: no slower than a Set that is emptied once a second, and exact.
  const ensured = new LRUCache<string, true>({ max: MAX_ENSURED, ttl: ENSURED_MS });

  async function add(uuid: string): Promise<void> {
    await reconnecting.queue.add(
      HOOK_QUEUE,
      { uuid },
      { jobId: hookJobId(uuid), removeOnComplete: true, removeOnFail: true },
    );
  }

  async function addUntilSettled(uuid: string): Promise<void> {
    try {
      do {
        underWay.set(uuid, 'adding');
        await add(uuid);
      } while (underWay.get(uuid) === 'add again');
    } catch (error) {
      logger.debug({ error, hook: uuid }, 'a job was not queued: the sweep will');
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
     * Sees to it that the hook has a job, without being waited for. BullMQ ignores a job that exists. Calls for one
     * hook that come while one is under way become a single further one.
     */
    ensureSoon,

    /**
     * {@link ensureSoon} for a delivery that came, the `waiting`-th that waits. The first sees to the job; those behind
     * it only where nobody has for a while.
     */
    arrived(uuid: string, waiting: number): void {
      if (waiting === 1 || !ensured.has(uuid)) ensureSoon(uuid);
    },

    /** Adds the jobs that are missing of those given, in two round trips. @returns how many there were to add */
    async ensureAll(uuids: string[]): Promise<number> {
      if (uuids.length === 0) return 0;
      const pipeline = redis.pipeline();
      for (const uuid of uuids) pipeline.exists(reconnecting.queue.toKey(hookJobId(uuid)));
      const replies = (await pipeline.exec()) ?? [];
      const missing = uuids.filter((_, index) => replies[index]?.[1] === 0);
      await Promise.all(missing.map(add));
      return missing.length;
    },

    /**
     * Lets jobs go on that would pause beyond `latest` (ms), which no pause does: the clock was put back since they
     * began. @returns how many
     */
    async resumeOverslept(latest: number): Promise<number> {
      const ids = await redis.zrangebyscore(
        reconnecting.queue.toKey('delayed'),
        latest * BULL_SCORES_PER_MS,
        '+inf',
        'LIMIT',
        0,
        WOKEN_AT_ONCE,
      );
      for (const id of ids) {
        try {
          await (await reconnecting.queue.getJob(id))?.promote();
        } catch (error) {
          // It has just begun by itself.
          logger.debug({ error, job: id }, 'a job could not be woken');
        }
      }
      return ids.length;
    },

    /** Lets a job that pauses go on now. */
    promote,

    /** Like `ensureSoon`; a job that pauses for another execution goes on, too. What fails here, the sweep does. */
    goOnSoon(uuid: string): void {
      promote(uuid).catch((error: unknown) => {
        logger.debug({ error, hook: uuid }, 'a job was not woken: the sweep will');
      });
    },

    async close(): Promise<void> {
      await reconnecting.close();
    },
  };
}
