import { defineScript } from '@cds/redis';
import type { Redis } from 'ioredis';
import { KEYS } from './redis-keys';

/**
 * KEYS lost-total, lost-since · Returns both, "" where there is none.
 *
 * Read and removed at once: what is lost a moment later is counted anew.
 */
const ACKNOWLEDGE_LOST = `
local lost, since = redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2])
redis.call('DEL', KEYS[1], KEYS[2])
return {lost or '', since or ''}
`;

/** The lost deliveries that an operator has seen. */
interface AcknowledgedLoss {
  deliveries: number;
  /** When the first of them was noticed; undefined where no `hooks` has looked since. */
  since: Date | undefined;
}

/**
 * Prepares to acknowledge the accepted deliveries that vanished from Redis: their count is 0 again.
 *
 * @returns a function; what it returns is exactly what is no longer counted
 */
export function createAcknowledgeLost({ redis }: { redis: Redis }) {
  const script = defineScript(redis, 'cdsbbAcknowledgeLost', ACKNOWLEDGE_LOST, 2);
  return async (): Promise<AcknowledgedLoss> => {
    const [lost, since] = (await script([KEYS.lostTotal, KEYS.lostSince], [])) as [string, string];
    return {
      deliveries: Number(lost) || 0,
      since: since === '' ? undefined : new Date(Number(since) / 1_000),
    };
  };
}
