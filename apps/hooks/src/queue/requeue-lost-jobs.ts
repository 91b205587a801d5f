import { createDueLoop } from '@cds/redis';
import type { Logger } from '@cds/service';
import type { Redis } from 'ioredis';
import { maxEntries } from '@cds/service';
import { LRUCache } from 'lru-cache';
import { createPendingStore, createRequeueTurn, type HookLock } from '@cds/hooks-store';
import type { HookQueue } from './hook-queue';
import { CLOCK_SLACK_MS } from './api-failure';

/** Sweeps that find a hook held with one lock token, as many as fit into a call of the API. */
const MAX_HELD_SWEEPS = 20;
/** Far more than all replicas process at once. */
const MAX_HELD = 10_000;

/** Jobs of other queues than the hook queue. */
export interface LostJobs {
  requeue(now: number): Promise<unknown>;
  /** The clock may have been put back: nothing may be due later than `until` (ms). */
  bringForward(until: number): Promise<unknown>;
  /** Redis was away and may have lost jobs. */
  beginAnew(): void;
}

/**
 * Requeues lost jobs: between a delivery's script and its job, in a crash, or with BullMQ's data.
 * Resumes jobs that would pause for hours because the clock was put back, and creates the jobs of
 * cleanups that are due soon.
 *
 * It reads only hooks with pending executions, and cleanups that are due soon; one replica at a
 * time.
 */
export function createRequeueLostJobs(deps: {
  redis: Redis;
  hookQueue: HookQueue;
  hookLock: Pick<HookLock, 'isDead'>;
  others: readonly LostJobs[];
  logger: Logger;
  /** The longest pause between two tries. */
  retryDelayMs: number;
  everyMs?: number | undefined;
}) {
  const { redis, hookQueue, hookLock, others, logger, everyMs = 3_000 } = deps;
  const pending = createPendingStore({ redis });
  const held = new LRUCache<string, { lockToken: string; since: number }>(maxEntries(MAX_HELD));
  const isMyTurn = createRequeueTurn({ redis, turnMs: Math.round(everyMs * 0.8) });
  let cursor = '0';
  let lastClock = Infinity;
  const longestPauseMs = deps.retryDelayMs + CLOCK_SLACK_MS;

  /**
   * Whether a process that lives works on it: it has a job or needs none. Redis may have lost the
   * end of that, and its process know of no such lock.
   */
  function isProcessed(uuid: string, lockToken: string | null | undefined): boolean {
    if (!lockToken || hookLock.isDead(lockToken)) {
      held.delete(uuid);
      return false;
    }
    const known = held.get(uuid);
    if (known?.lockToken === lockToken)
      return performance.now() - known.since < MAX_HELD_SWEEPS * everyMs;
    held.set(uuid, { lockToken, since: performance.now() });
    return true;
  }

  async function sweepHooks(): Promise<void> {
    const overslept = await hookQueue.resumeOverslept(Date.now() + longestPauseMs);
    if (overslept > 0)
      logger.info(
        { hooks: overslept },
        'hooks resumed: their pause began before the clock was put back',
      );
    const { next, uuids } = await pending.someHooks(cursor);
    cursor = next;
    const owners = await pending.owners(uuids);
    const free = uuids.filter((uuid, at) => !isProcessed(uuid, owners[at]));
    const missing = await hookQueue.ensureAll(free);
    if (missing > 0) logger.debug({ hooks: missing }, 'lost jobs of hooks requeued');
  }

  async function sweepOthers(): Promise<void> {
    const now = Date.now();
    const clock = now - performance.now();
    // Also at the first sweep: the clock may have been put back while no replica ran.
    if (clock < lastClock - CLOCK_SLACK_MS)
      for (const jobs of others) await jobs.bringForward(now + longestPauseMs);
    lastClock = clock;
    for (const jobs of others) await jobs.requeue(now);
  }

  async function sweep(): Promise<void> {
    await sweepHooks();
    await sweepOthers();
  }

  const loop = createDueLoop({
    async runDue() {
      if (await isMyTurn()) await sweep();
      return undefined;
    },
    maxSleepMs: everyMs,
    failed(error) {
      for (const jobs of others) jobs.beginAnew();
      logger.debug({ error }, 'sweep failed: Redis does not answer');
    },
  });

  return {
    start: () => loop.start(everyMs),
    stop: () => void loop.stop(),
    sweep,
  };
}
