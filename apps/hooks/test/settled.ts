import { BULL_PREFIX, HOOK_QUEUE, KEYS } from '@cds/hooks-store/keys';
import { waitFor } from '@cds/testing';
import type { Redis } from 'ioredis';
import { CLEANUP_QUEUE } from '../src/queue/cleanup-queue';
import type { TestContext } from './test-context';

/**
 * Sweeps that were begun: the first may have looked before, the second has ended with the third.
 */
const SWEEPS = 3;

/** Waits until the sweep has looked at everything again. */
export async function swept({ redisClient }: TestContext): Promise<void> {
  // Each sweep has a token of its own. One that was not seen is waited for once more.
  const turns = new Set<string>();
  await waitFor(
    async () => {
      const turn = await redisClient.get(KEYS.sweepLock);
      if (turn) turns.add(turn);
      return turns.size > SWEEPS;
    },
    { what: 'sweeps' },
  );
}

/**
 * Waits until all that is to be done now was done: what the sweep finds has its job, and no job
 * waits, is due or under way. What did not happen by then does not happen.
 */
export async function settled(context: TestContext): Promise<void> {
  await swept(context);
  await waitFor(async () => (await jobsToDo(context.redisClient)) === 0, {
    what: 'no job to be done',
  });
}

/** BullMQ keeps the time of a delayed job as milliseconds and a counter of 12 bits. */
async function jobsToDo(redis: Redis): Promise<number> {
  const counts = await Promise.all(
    [HOOK_QUEUE, CLEANUP_QUEUE].flatMap((queue) => {
      const key = (list: string) => `${BULL_PREFIX}:${queue}:${list}`;
      return [
        redis.llen(key('wait')),
        redis.llen(key('active')),
        redis.zcount(key('delayed'), 0, (Date.now() + 1) * 0x1000),
      ];
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}
