import type { Redis } from 'ioredis';
import { KEYS } from '../redis-keys';

/** A job that pauses until the API answers. */
export interface PausedJob {
  jobId: string;
  /** Not resumed before (ms). */
  resumableAt: number;
}

/** The jobs that pause for an API outage. The script that takes an execution removes its job. */
export function createPausedJobs({ redis }: { redis: Redis }) {
  return {
    async add({ jobId, resumableAt }: PausedJob): Promise<void> {
      await redis.zadd(KEYS.apiWaiters, resumableAt, jobId);
    },

    async remove(jobId: string): Promise<void> {
      await redis.zrem(KEYS.apiWaiters, jobId);
    },

    /** Those that may be resumed first. */
    async first(count: number): Promise<PausedJob[]> {
      const reply = await redis.zrange(KEYS.apiWaiters, '0', String(count - 1), 'WITHSCORES');
      const jobs: PausedJob[] = [];
      for (let i = 0; i + 1 < reply.length; i += 2)
        jobs.push({ jobId: reply[i] ?? '', resumableAt: Number(reply[i + 1]) });
      return jobs;
    },
  };
}
