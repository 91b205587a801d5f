import type { Logger } from '@cds/service';
import type { Job } from 'bullmq';
import type { Redis } from 'ioredis';
import { createPendingStore, HOOK_QUEUE } from '@cds/hooks-store';
import type { ApiOutage } from './api-outage';
import type { HookJob, HookQueue } from './hook-queue';
import { createJobWorker, type JobOutcome } from './job-worker';
import { createProcessAtOnce } from './process-at-once';
import type { HookOutcome, Passed, ProcessHook } from './process-hook';

const BUSY_MS = 300;
/** Most wait for an answer, for up to a minute. Slots bound how many call the API at once. */
const MAX_HOOKS = 200;

/** Processes hooks, several at a time. */
export function createHookWorker(deps: {
  connection: Redis;
  keyPrefix?: string | undefined;
  redis: Redis;
  queue: HookQueue;
  processHook: ProcessHook;
  apiOutage: ApiOutage;
  logger: Logger;
  /** Aborted when no new hook is to begin. */
  ending: AbortSignal;
  lockMs?: number | undefined;
}) {
  const { redis, queue, processHook, apiOutage, logger } = deps;
  const pending = createPendingStore({ redis });

  /** An execution stored after the job saw an empty list, and before the job ended, has no job. */
  async function lookAgain(uuid: string): Promise<void> {
    try {
      if (await pending.isPending(uuid)) queue.ensureSoon(uuid);
    } catch (error) {
      logger.debug(
        { error, hook: uuid },
        'failed to look for pending executions: the next sweep does',
      );
    }
  }

  /**
   * An execution stored between the last look at the list and the job's pause found no job to
   * promote. It must not wait for those that pause.
   */
  async function resumeForOthers(uuid: string, passed: Passed): Promise<void> {
    try {
      // One id more than the paused ones is enough to find another.
      const waiting = await pending.ids(uuid, passed.size + 1);
      if (waiting.some((id) => !passed.has(id))) await queue.promote(uuid);
    } catch (error) {
      logger.debug(
        { error, hook: uuid },
        'failed to resume a hook: its new executions wait for the pause',
      );
    }
  }

  function jobOutcome(uuid: string, outcome: HookOutcome): JobOutcome {
    if (outcome.kind === 'idle') return { kind: 'end' };
    if (outcome.kind === 'busy') return { kind: 'delay', until: Date.now() + BUSY_MS };
    if (outcome.kind === 'more') return { kind: 'delay', until: Date.now() };
    const { until, passed, paused } = outcome;
    async function delayed(): Promise<void> {
      paused?.();
      if (passed) await resumeForOthers(uuid, passed);
    }
    return { kind: 'delay', until, delayed };
  }

  async function noteOutage(job: Job<HookJob>, outcome: HookOutcome): Promise<void> {
    if (outcome.kind === 'pause' && outcome.forApi)
      await apiOutage.add(job, outcome.until, outcome.outages);
  }

  /** For what was processed without a job. */
  async function leave(uuid: string, outcome: HookOutcome): Promise<void> {
    const next = jobOutcome(uuid, outcome);
    if (next.kind === 'end') return lookAgain(uuid);
    if (outcome.kind === 'more') return queue.ensureSoon(uuid);
    await noteOutage(await queue.addPaused(uuid, next.until), outcome);
    await next.delayed?.();
  }

  const atOnce = createProcessAtOnce({
    ...{ processHook, leave, enqueue: queue.ensureSoon, logger, ending: deps.ending },
  });

  const worker = createJobWorker<HookJob>({
    queue: HOOK_QUEUE,
    connection: deps.connection,
    keyPrefix: deps.keyPrefix,
    logger,
    concurrency: MAX_HOOKS,
    lockMs: deps.lockMs,
    async process(job): Promise<JobOutcome> {
      const { uuid } = job.data;
      // A sweep, or another replica, found no job of a hook that needs none.
      const left = await atOnce.ended(uuid);
      const outcome = left?.kind === 'pause' ? left : await processHook(uuid);
      await noteOutage(job, outcome);
      return jobOutcome(uuid, outcome);
    },
    ended: ({ data }) => void lookAgain(data.uuid),
  });

  return {
    /** Processes a hook without a job, where it can. @returns false where the hook needs one */
    arrived: atOnce.arrived,

    /** As that of a job worker. */
    async close(deadlineMs: number): Promise<void> {
      await Promise.all([worker.close(deadlineMs), atOnce.stop(deadlineMs)]);
    },
  };
}
