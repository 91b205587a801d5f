import type { Redis } from 'ioredis';
import { scoresOf } from '../pipeline-replies';
import { KEYS } from '../redis-keys';

/** A job that pauses until the API answers. */
interface PausedJob {
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
      return [...scoresOf(reply)].map(([jobId, resumableAt]) => ({ jobId, resumableAt }));
    },
  };
}
