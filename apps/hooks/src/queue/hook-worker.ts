import type { Logger } from '@cds/service';
import type { Redis } from 'ioredis';
import { createPendingStore } from '@cds/hooks-store';
import type { ApiOutage } from './api-outage';
import { HOOK_QUEUE, type HookJob, type HookQueue } from './hook-queue';
import { createJobWorker, type JobOutcome, type JobWorker } from './job-worker';
import type { Passed, ProcessHook } from './process-hook';

export interface HookWorkerDeps {
  connection: Redis;
  keyPrefix?: string | undefined;
  redis: Redis;
  queue: HookQueue;
  processHook: ProcessHook;
  apiOutage: ApiOutage;
  logger: Logger;
  /** Hooks at a time; how many of them may ask the API at once is bounded where they are worked off. */
  concurrency?: number;
  lockMs?: number | undefined;
}

const BUSY_MS = 300;
/** Most of them wait for an answer. A hook for which the API hangs holds one for a minute. */
const HOOKS_AT_ONCE = 200;

/** Works off hooks, several at a time, each by one job. */
export function createHookWorker(deps: HookWorkerDeps): JobWorker {
  const { redis, queue, processHook, apiOutage, logger } = deps;
  const pending = createPendingStore({ redis });

  /** A delivery may have come in after the job saw an empty list, when its own job was still this one. */
  async function lookAgain(uuid: string): Promise<void> {
    try {
      if (await pending.isPending(uuid)) queue.ensureSoon(uuid);
    } catch (error) {
      logger.debug({ error, hook: uuid }, 'not looked at again: the sweep will');
    }
  }

  /**
   * An execution may have come in between the last look at the list and the job's pause, when there was nothing to promote
   * yet: it does not wait for those that pause. From now on whoever brings one promotes the job himself.
   */
  async function goOnForOthers(uuid: string, passed: Passed): Promise<void> {
    try {
      // Of one more than those that pause, one is another.
      const waiting = await pending.ids(uuid, passed.size + 1);
      if (waiting.some((id) => !passed.has(id))) await queue.promote(uuid);
    } catch (error) {
      logger.debug({ error, hook: uuid }, 'what came in meanwhile waits for the pause');
    }
  }

  return createJobWorker<HookJob>({
    queue: HOOK_QUEUE,
    connection: deps.connection,
    keyPrefix: deps.keyPrefix,
    logger,
    concurrency: deps.concurrency ?? HOOKS_AT_ONCE,
    lockMs: deps.lockMs,
    async process(job): Promise<JobOutcome> {
      const { data } = job;
      const outcome = await processHook(data.uuid);
      switch (outcome.kind) {
        case 'idle':
          return { kind: 'end' };
        case 'busy':
          return { kind: 'delay', until: Date.now() + BUSY_MS };
        case 'more':
          return { kind: 'delay', until: Date.now() };
        case 'pause': {
          const { until, passed, paused } = outcome;
          if (outcome.forApi) await apiOutage.add(job, until, outcome.outages);
          if (paused) return { kind: 'delay', until, delayed: async () => paused() };
          if (!passed) return { kind: 'delay', until };
          return { kind: 'delay', until, delayed: () => goOnForOthers(data.uuid, passed) };
        }
      }
    },
    ended: ({ data }) => void lookAgain(data.uuid),
  });
}
