import type { Redis } from 'ioredis';
import { runTraceKey, type RunOfTrace } from './vcs-keys';

/** Statuses of longer runs are not in the trace of their delivery. */
const TTL_SECONDS = 24 * 60 * 60;

/** The W3C trace contexts of runs, by which `vcs` traces what `hooks` began. Nothing rejects. */
export interface RunTraces {
  save(run: RunOfTrace, traceparent: string): void;
  read(run: RunOfTrace): Promise<string | undefined>;
}

export function createRunTraces(redis: Redis): RunTraces {
  return {
    save(run, traceparent) {
      redis.set(runTraceKey(run), traceparent, 'EX', TTL_SECONDS).catch(() => undefined);
    },
    read: async (run) => (await redis.get(runTraceKey(run)).catch(() => null)) ?? undefined,
  };
}
