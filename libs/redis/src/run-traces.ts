import type { Redis } from 'ioredis';
import { runTraceKey, type RunOfTrace } from './vcs-keys';

/** Statuses of longer runs are not in the trace of their delivery. */
const TTL_SECONDS = 24 * 60 * 60;

export type RunTraces = ReturnType<typeof createRunTraces>;

/** The W3C trace contexts of runs, by which `vcs` traces what `hooks` began. Nothing rejects. */
export function createRunTraces(redis: Redis) {
  return {
    save(run: RunOfTrace, traceparent: string): void {
      redis.set(runTraceKey(run), traceparent, 'EX', TTL_SECONDS).catch(() => undefined);
    },
    read: async (run: RunOfTrace): Promise<string | undefined> =>
      (await redis.get(runTraceKey(run)).catch(() => null)) ?? undefined,
  };
}
