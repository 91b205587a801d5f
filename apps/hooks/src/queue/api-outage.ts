import type { Logger } from '@cds/service';
import type { Job, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { createPausedJobs } from '@cds/hooks-store';

/** Data of a job that may pause for the API. */
export interface WaitingJobData {
  /** The pause was shortened because the API answered other calls. */
  resumed?: boolean;
  /** How often in a row the job was resumed and got no answer. */
  resumedInVain?: number;
}

export type ApiOutage = ReturnType<typeof createApiOutage>;

/** Thousands of calls succeed: Redis is asked at most this often. */
const RESUME_EVERY_MS = 1_000;
const AT_ONCE = 500;
const MAX_RESUMED_IN_VAIN_PAUSE_MS = 10_000;

/**
 * Resumes the jobs that pause for the API when the first call or heartbeat of any replica succeeds.
 *
 * The API may fail for one workflow only. A job that was resumed in vain can therefore be resumed
 * again only after a growing pause of at most ten seconds.
 */
export function createApiOutage(deps: {
  redis: Redis;
  logger: Logger;
  /** The queue that the job of this id belongs to. */
  queueOf: (jobId: string) => Queue<WaitingJobData>;
}) {
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
    // A job that does not pause yet is resumed by the next success.
    if (!(await job.isDelayed())) return;
    // A clock that was put back must not lengthen the pause.
    const pause = Math.min(resumableAt - Date.now(), MAX_RESUMED_IN_VAIN_PAUSE_MS);
    const wasResumed = job.data.resumed === true;
    if (!wasResumed) await job.updateData({ ...job.data, resumed: true });
    if (pause <= 0) await job.promote();
    else if (!wasResumed) await job.changeDelay(pause);
  }

  async function resumeAll(): Promise<void> {
    lastResume = performance.now();
    try {
      const jobs = await paused.first(AT_ONCE);
      if (jobs.length === 0) return;
      logger.info({ jobs: jobs.length }, 'the API answers again: paused jobs are resumed');
      for (const { jobId, resumableAt } of jobs) {
        await resumeOne(jobId, resumableAt).catch((error: unknown) => {
          // Another replica resumed it, or its pause ended.
          logger.debug({ error, job: jobId }, 'failed to resume a paused job');
        });
      }
      if (jobs.length === AT_ONCE) resumeSoon();
    } catch (error) {
      logger.debug({ error }, 'failed to read the jobs that pause for the API');
    }
  }

  function resumeSoon(): void {
    if (stopped || timer) return;
    const pause = Math.max(0, lastResume + RESUME_EVERY_MS - performance.now());
    timer = setTimeout(() => {
      timer = undefined;
      void resumeAll();
    }, pause).unref();
  }

  return {
    /**
     * Stores that the job is about to pause.
     * @param resumeAt end of the pause (ms)
     * @param outages tries in a row without an answer, this one included
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

    /** To be called when the job runs. */
    remove: paused.remove,

    /** To be called after every answer of the API. */
    apiAnswered: resumeSoon,

    stop(): void {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
