import { errorText } from '../error-text';
import type { Logger } from '@cds/service';
import type { Redis } from 'ioredis';
import { KEYS } from '@cds/hooks-store';
import type { ApiWaiters } from './api-waiters';
import { DRAIN_QUEUE, type DrainJob, type DrainQueue } from './drain-queue';
import { createJobWorker, type JobOutcome, type JobWorker } from './job-worker';
import type { WorkOffHook } from './work-off-hook';

export interface DrainWorkerDeps {
  connection: Redis;
  redis: Redis;
  queue: DrainQueue;
  workOffHook: WorkOffHook;
  waiters: ApiWaiters;
  logger: Logger;
  /** Hooks at a time; how many of them may ask the API at once is bounded where they are worked off. */
  concurrency?: number;
  lockMs?: number;
}

const BUSY_MS = 300;
/** Most of them wait for an answer. A hook for which the API hangs holds one for a minute. */
const HOOKS_AT_ONCE = 200;

/** Works off hooks, several at a time, each by one job. */
export function createDrainWorker(deps: DrainWorkerDeps): JobWorker {
  const { redis, queue, workOffHook, waiters, logger } = deps;

  /** A delivery may have come in after the job saw an empty list, when its own job was still this one. */
  async function lookAgain(uuid: string): Promise<void> {
    try {
      if (await redis.sismember(KEYS.pending, uuid)) queue.ensureSoon(uuid);
    } catch (error) {
      logger.debug({ error: errorText(error), hook: uuid }, 'not looked at again: the sweep will');
    }
  }

  return createJobWorker<DrainJob>({
    queue: DRAIN_QUEUE,
    connection: deps.connection,
    logger,
    concurrency: deps.concurrency ?? HOOKS_AT_ONCE,
    lockMs: deps.lockMs,
    async process(job): Promise<JobOutcome> {
      const { data } = job;
      const outcome = await workOffHook(data.uuid);
      switch (outcome.kind) {
        case 'idle':
          return { kind: 'end' };
        case 'busy':
          return { kind: 'delay', until: Date.now() + BUSY_MS };
        case 'more':
          return { kind: 'delay', until: Date.now() };
        case 'pause':
          if (outcome.forApi) await waiters.add(job, outcome.until, outcome.outages);
          return { kind: 'delay', until: outcome.until };
      }
    },
    ended: ({ data }) => void lookAgain(data.uuid),
  });
}
