import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { KEYS } from '../redis-keys';

/** A turn that is seen so often in a row is over, whatever its time-to-live. */
const TURN_SEEN = 3;

/**
 * Prepares to ask whether this replica may requeue lost jobs. Only saves work: two replicas at once
 * do no harm.
 *
 * Each turn has a token. A token that stays has a time-to-live that does not end, since the clock
 * of Redis's machine was put back.
 * @param turnMs length of a turn
 */
export function createRequeueTurn({ redis, turnMs }: { redis: Redis; turnMs: number }) {
  let lastTurn: { token: string | null; seen: number } = { token: null, seen: 0 };

  return async function isMyTurn(): Promise<boolean> {
    const token = randomUUID();
    if (await redis.set(KEYS.sweepLock, token, 'PX', turnMs, 'NX')) return true;
    const other = await redis.get(KEYS.sweepLock);
    lastTurn = { token: other, seen: other === lastTurn.token ? lastTurn.seen + 1 : 1 };
    if (lastTurn.seen < TURN_SEEN) return false;
    await redis.set(KEYS.sweepLock, token, 'PX', turnMs);
    return true;
  };
}
