import { createDueLoop } from '@cds/redis';
import type { Logger } from '@cds/service';
import type { Redis } from 'ioredis';
import { createPendingStore, createRequeueTurn, type WaitingSince } from '@cds/hooks-store';
import type { HookQueue } from './hook-queue';
import { CLOCK_SLACK_MS } from './api-failure';

export interface RequeueLostJobsDeps {
  redis: Redis;
  hookQueue: HookQueue;
  /** Jobs of something else than hooks. */
  others: readonly LostJobs[];
  waitingSince: Pick<WaitingSince, 'noteAnew'>;
  logger: Logger;
  /** The longest pause between two tries. */
  retryDelayMs: number;
  everyMs?: number | undefined;
}

/** Jobs of something else than hooks. */
export interface LostJobs {
  /** @returns how many jobs were put back */
  requeue(now: number): Promise<number>;
  /** The clock was put back, maybe: nothing may be due later than `until` (ms). */
  bringForward(until: number): Promise<unknown>;
  /** Redis was away: it may have come back without jobs that it had. */
  beginAnew(): void;
}

export interface RequeueLostJobs {
  start(): void;
  stop(): void;
  /** One sweep; @returns how many jobs were put back */
  sweep(): Promise<number>;
}

/**
 * Puts back jobs that got lost: between a delivery's script and its job, in a crash, or with the data of BullMQ; and
 * wakes those that would sleep for hours because the clock was put back. Puts right since when deliveries wait, too.
 * Gives cleanups that are due soon their jobs. Looks only at hooks that have work, and at cleanups that have come near or
 * are overdue; one replica at a time.
 */
export function createRequeueLostJobs(deps: RequeueLostJobsDeps): RequeueLostJobs {
  const { redis, hookQueue, others, logger, everyMs = 3_000 } = deps;
  const pending = createPendingStore({ redis });
  const isMyTurn = createRequeueTurn({ redis, turnMs: Math.round(everyMs * 0.8) });
  let cursor = '0';
  let lastClock = Infinity;
  const longestPauseMs = deps.retryDelayMs + CLOCK_SLACK_MS;

  async function sweepHooks(): Promise<number> {
    const overslept = await hookQueue.resumeOverslept(Date.now() + longestPauseMs);
    if (overslept > 0) logger.info({ hooks: overslept }, 'hooks that slept by another clock go on');
    const { next, uuids } = await pending.someHooks(cursor);
    cursor = next;
    const missing = await hookQueue.ensureAll(uuids);
    await deps.waitingSince.noteAnew(uuids);
    return missing;
  }

  async function sweepOthers(): Promise<number> {
    const now = Date.now();
    const clock = now - performance.now();
    // At its first sweep, too: the clock may have been put back while no replica ran.
    if (clock < lastClock - CLOCK_SLACK_MS)
      for (const jobs of others) await jobs.bringForward(now + longestPauseMs);
    lastClock = clock;
    let requeued = 0;
    for (const jobs of others) requeued += await jobs.requeue(now);
    return requeued;
  }

  async function sweep(): Promise<number> {
    const hooks = await sweepHooks();
    if (hooks > 0) logger.debug({ hooks }, 'hooks without a job have one again');
    return hooks + (await sweepOthers());
  }

  const loop = createDueLoop({
    async runDue() {
      if (await isMyTurn()) await sweep();
      return undefined;
    },
    maxSleepMs: everyMs,
    failed(error) {
      for (const jobs of others) jobs.beginAnew();
      logger.debug({ error }, 'no sweep: Redis does not answer');
    },
  });

  return {
    start: () => loop.start(everyMs),
    stop: () => void loop.stop(),
    sweep,
  };
}
