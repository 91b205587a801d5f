import type { Logger } from '@cds/service';
import type { Job, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { createPausedJobs } from '@cds/hooks-store';

/** What a job that may wait for the API carries. */
export interface WaitingJobData {
  /** Its pause was shortened because the API answered others. */
  woken?: boolean;
  /** How often in a row it was woken and then got no answer itself. */
  wokenInVain?: number;
}

export interface ApiWaitersDeps {
  redis: Redis;
  logger: Logger;
  /** The queue that the job of this id belongs to. */
  queueOf: (jobId: string) => Queue<WaitingJobData>;
}

export type ApiWaiters = ReturnType<typeof createApiWaiters>;

/** Calls that succeed come by the thousand: Redis is asked at most this often. */
const QUIET_MS = 1_000;
const AT_ONCE = 500;
const MOST_WOKEN_IN_VAIN_PAUSE_MS = 10_000;

/**
 * The jobs that pause because the API does not answer. The first call or heartbeat that succeeds, of whichever
 * replica, lets them all go on.
 *
 * A job that went on and again got no answer, while others did, waits longer each time before it can be woken (at
 * most ten seconds): the API may fail for one workflow only, and that one must not be tried with every success.
 */
export function createApiWaiters(deps: ApiWaitersDeps) {
  const { redis, logger, queueOf } = deps;
  const paused = createPausedJobs({ redis });
  let lastWake = -Infinity;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  async function wakeOne(jobId: string, wakeableAt: number): Promise<void> {
    const job = await queueOf(jobId).getJob(jobId);
    if (!job) {
      await paused.remove(jobId);
      return;
    }
    // One that is still on its way into its pause is found by the next success.
    if (!(await job.isDelayed())) return;
    // A clock that was put back must not make it longer than it can be.
    const pause = Math.min(wakeableAt - Date.now(), MOST_WOKEN_IN_VAIN_PAUSE_MS);
    const wasWoken = job.data.woken === true;
    if (!wasWoken) await job.updateData({ ...job.data, woken: true });
    if (pause <= 0) await job.promote();
    else if (!wasWoken) await job.changeDelay(pause);
  }

  async function wake(): Promise<void> {
    lastWake = performance.now();
    try {
      const jobs = await paused.first(AT_ONCE);
      if (jobs.length === 0) return;
      logger.info({ jobs: jobs.length }, 'the API answers again: going on with what waited');
      for (const { jobId, resumableAt } of jobs) {
        await wakeOne(jobId, resumableAt).catch((error: unknown) => {
          // Woken by another replica, or it has just begun by itself.
          logger.debug({ error, job: jobId }, 'a job could not be woken');
        });
      }
      if (jobs.length === AT_ONCE) wakeSoon();
    } catch (error) {
      logger.debug({ error }, 'those who wait for the API could not be read');
    }
  }

  function wakeSoon(): void {
    if (stopped || timer) return;
    const pause = Math.max(0, lastWake + QUIET_MS - performance.now());
    timer = setTimeout(() => {
      timer = undefined;
      void wake();
    }, pause).unref();
  }

  return {
    /**
     * Notes that the job is about to pause.
     * @param resumeAt when it goes on by itself (ms)
     * @param outages tries in a row that the API did not answer, this one included
     */
    async add(job: Job<WaitingJobData>, resumeAt: number, outages: number): Promise<void> {
      const { woken, wokenInVain = 0 } = job.data;
      const inVain = outages <= 1 ? 0 : wokenInVain + (woken ? 1 : 0);
      if (woken || inVain !== wokenInVain) {
        await job.updateData({ ...job.data, woken: false, wokenInVain: inVain });
      }
      const pause =
        inVain === 0 ? 0 : Math.min(MOST_WOKEN_IN_VAIN_PAUSE_MS, 500 * 2 ** Math.min(inVain, 10));
      const resumableAt = Math.min(resumeAt, Date.now() + pause);
      await paused.add({ jobId: String(job.id), resumableAt });
    },

    /** Notes that the job goes on. */
    remove: paused.remove,

    /** To be called whenever the API answered. */
    apiAnswered: wakeSoon,

    stop(): void {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
