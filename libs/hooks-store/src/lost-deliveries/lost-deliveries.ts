import type { Redis } from 'ioredis';
import { KEYS } from '../redis-keys';
import { ACKNOWLEDGE_LOST, COUNT_LOST } from './lost-deliveries.lua';

/** The lost deliveries that an operator has seen. */
interface AcknowledgedLoss {
  deliveries: number;
  /** When the first of them was noticed; undefined where no `hooks` has looked since. */
  since: Date | undefined;
}

/** The accepted deliveries of this moment. */
export interface DeliveryCounts {
  waiting: number;
  lost: number;
  /** Whether the lists of all hooks are to be looked at, and counted again with what they hold. */
  isToLook: boolean;
  /** When the first lost one was noticed (µs, as Redis has it); "" where none is. */
  since: string;
}

/** The accepted deliveries that vanished from Redis before they were processed. */
export function createLostDeliveries({ redis }: { redis: Redis }) {
  const countLost = COUNT_LOST.on(redis);
  const acknowledgeLost = ACKNOWLEDGE_LOST.on(redis);

  return {
    /** @param held deliveries in the lists of all hooks; undefined where nobody looked */
    count: (held?: number): Promise<DeliveryCounts> => countLost(KEYS, { held: held ?? '' }),

    /** What else an emptied Redis would lose. */
    scheduledCleanups: (): Promise<number> => redis.zcard(KEYS.cleanups),

    /** Counts these as lost, too. */
    async add(deliveries: number): Promise<void> {
      await redis.incrby(KEYS.lostTotal, deliveries);
    },

    /** Their count is 0 again. @returns exactly what is no longer counted */
    async acknowledge(): Promise<AcknowledgedLoss> {
      const [lost = '', since = ''] = await acknowledgeLost(KEYS, {});
      return {
        deliveries: Number(lost) || 0,
        since: since === '' ? undefined : new Date(Number(since) / 1_000),
      };
    },
  };
}
