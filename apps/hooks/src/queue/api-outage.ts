import type { Logger } from '@cds/service';
import type { Job, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { createPausedJobs } from '@cds/hooks-store';

/** What a job that may wait for the API carries. */
export interface WaitingJobData {
  /** Its pause was shortened because the API answered others. */
  resumed?: boolean;
  /** How often in a row it was woken and then got no answer itself. */
  resumedInVain?: number;
}

export interface ApiOutageDeps {
  redis: Redis;
  logger: Logger;
  /** The queue that the job of this id belongs to. */
  queueOf: (jobId: string) => Queue<WaitingJobData>;
}

export type ApiOutage = ReturnType<typeof createApiOutage>;

/** Calls that succeed come by the thousand: Redis is asked at most this often. */
const QUIET_MS = 1_000;
const AT_ONCE = 500;
const MAX_RESUMED_IN_VAIN_PAUSE_MS = 10_000;

/**
 * The jobs that pause because the API does not answer. The first call or heartbeat that succeeds, of whichever
 * replica, lets them all go on.
 *
 * A job that went on and again got no answer, while others did, waits longer each time before it can be woken (at
 * most ten seconds): the API may fail for one workflow only, and that one must not be tried with every success.
 */
export function createApiOutage(deps: ApiOutageDeps) {
  const { redis, logger, queueOf } = deps;
  const paused = createPausedJobs({ redis });
  let lastResume = -Infinity;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  async function resumeOne(jobId: string, resumableAt: number): Promise<void> {
    const job = await queueOf(jobId).getJob(jobId);
    if (!job) {
      await paused.remove(jobId);
      return;
    }
    // One that is still on its way into its pause is found by the next success.
    if (!(await job.isDelayed())) return;
    // A clock that was put back must not make it longer than it can be.
    const pause = Math.min(resumableAt - Date.now(), MAX_RESUMED_IN_VAIN_PAUSE_MS);
    const wasResumed = job.data.resumed === true;
    if (!wasResumed) await job.updateData({ ...job.data, resumed: true });
    if (pause <= 0) await job.promote();
    else if (!wasResumed) await job.changeDelay(pause);
  }

  async function wake(): Promise<void> {
    lastResume = performance.now();
    try {
      const jobs = await paused.first(AT_ONCE);
      if (jobs.length === 0) return;
      logger.info({ jobs: jobs.length }, 'the API answers again: going on with what waited');
      for (const { jobId, resumableAt } of jobs) {
        await resumeOne(jobId, resumableAt).catch((error: unknown) => {
          // Woken by another replica, or it has just begun by itself.
          logger.debug({ error, job: jobId }, 'a job could not be woken');
        });
      }
      if (jobs.length === AT_ONCE) resumeSoon();
    } catch (error) {
      logger.debug({ error }, 'those who wait for the API could not be read');
    }
  }

  function resumeSoon(): void {
    if (stopped || timer) return;
    const pause = Math.max(0, lastResume + QUIET_MS - performance.now());
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
      const { resumed, resumedInVain = 0 } = job.data;
      const inVain = outages <= 1 ? 0 : resumedInVain + (resumed ? 1 : 0);
      if (resumed || inVain !== resumedInVain) {
        await job.updateData({ ...job.data, resumed: false, resumedInVain: inVain });
      }
      const pause =
        inVain === 0 ? 0 : Math.min(MAX_RESUMED_IN_VAIN_PAUSE_MS, 500 * 2 ** Math.min(inVain, 10));
      const resumableAt = Math.min(resumeAt, Date.now() + pause);
      await paused.add({ jobId: String(job.id), resumableAt });
    },

    /** Notes that the job goes on. */
    remove: paused.remove,

    /** To be called whenever the API answered. */
    apiAnswered: resumeSoon,

    stop(): void {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
