import { cleanupId } from '@cds/hooks-store';
import { KEYS } from '@cds/hooks-store/keys';
import pino from 'pino';
import type { BenchRedis } from './bench-redis';
import {
  createCleanupQueue,
  createCleanupStore,
  createEnqueueDueCleanups,
} from './hooks-internals';

/** A scheduled removal as the bench makes them. */
export interface PendingCleanup {
  hook: string;
  project: string;
  workflow: string;
  repository: string;
  branch: string;
  /** Milliseconds. */
  due: number;
  requestId: string;
}

const AT_ONCE = 500;
const REPOSITORY = 'acme/web-shop';

/** So many, of branches with names of usual length, over all hooks in turn. */
export function makeCleanups(options: {
  count: number;
  hooks: readonly string[];
  round: number;
  dueOf: (index: number) => number;
}): PendingCleanup[] {
  const { count, hooks, round } = options;
  return Array.from({ length: count }, (_, index) => ({
    hook: hooks[index % hooks.length] as string,
    project: 'BENCH',
    workflow: `workflow-${index % hooks.length}`,
    repository: REPOSITORY,
    branch: `feature/SHOP-${round}-${index}-show-the-basket`,
    due: options.dueOf(index),
    requestId: `bench-request-${round}-${index}`.padEnd(36, '0'),
  }));
}

/** The same in one sorted set, each as JSON: the least that can hold it. */
export async function scheduleRaw(
  { redis }: BenchRedis,
  key: string,
  cleanups: readonly PendingCleanup[],
): Promise<void> {
  for (let first = 0; first < cleanups.length; first += AT_ONCE) {
    const scored = cleanups
      .slice(first, first + AT_ONCE)
      .flatMap((cleanup) => [cleanup.due, JSON.stringify(cleanup)]);
    await redis.zadd(key, ...scored);
  }
}

/**
 * Schedules them as the holder of a hook does; those that were scheduled before begin anew, by this
 * date. What is near has its job then as the service gives it.
 */
export async function scheduleAll(
  { redis }: BenchRedis,
  cleanups: readonly PendingCleanup[],
): Promise<void> {
  const store = createCleanupStore({ redis, deadLetters: 1_000 });
  const queue = createCleanupQueue({ redis, logger: pino({ level: 'silent' }) });
  const deletedAt = Date.now() * 1_000;
  async function schedule(cleanup: PendingCleanup, index: number): Promise<void> {
    const id = cleanupId(cleanup);
    const accepted = String(deletedAt + index);
    const kept = await store.schedule('bench/holder', { ...cleanup, id, accepted });
    if (kept !== 'ok') throw new Error(`A cleanup was not scheduled: ${kept}`);
  }
  for (let first = 0; first < cleanups.length; first += AT_ONCE)
    await Promise.all(
      cleanups.slice(first, first + AT_ONCE).map((one, index) => schedule(one, first + index)),
    );
  await createEnqueueDueCleanups({ store, queue }).enqueue(Date.now());
  const count = await redis.zcard(KEYS.cleanups);
  if (count !== cleanups.length)
    throw new Error(`${cleanups.length} cleanups were to be scheduled, ${count} are`);
}
