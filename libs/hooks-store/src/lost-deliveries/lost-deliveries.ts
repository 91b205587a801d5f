import type { Redis } from 'ioredis';
import { KEYS } from '../redis-keys';
import { ACKNOWLEDGE_LOST, COUNT_LOST } from './lost-deliveries.lua';

/** The lost deliveries that an operator acknowledges. */
interface Loss {
  deliveries: number;
  /** When the first was noticed; undefined where no `hooks` has checked since. */
  since: Date | undefined;
}

export interface DeliveryCounts {
  waiting: number;
  lost: number;
  /** Whether to count the lists of all hooks, and to call `count` again with the sum. */
  isToLook: boolean;
  /** When the first lost one was noticed (µs, as Redis has it); "" without any. */
  since: string;
}

/** The accepted deliveries that vanished from Redis before they were processed. */
export function createLostDeliveries({ redis }: { redis: Redis }) {
  const countLost = COUNT_LOST.on(redis);
  const acknowledgeLost = ACKNOWLEDGE_LOST.on(redis);

  return {
    /**
     * @param held deliveries in the lists of all hooks; undefined where they were not counted
     * @returns undefined where Redis holds no state
     */
    count: (held?: number): Promise<DeliveryCounts | undefined> =>
      countLost(KEYS, { held: held ?? '' }),

    /** The cleanups that an emptied Redis would lose. */
    scheduledCleanups: (): Promise<number> => redis.zcard(KEYS.cleanups),

    async add(deliveries: number): Promise<void> {
      await redis.incrby(KEYS.lostTotal, deliveries);
    },

    /** Sets their count to 0. @returns exactly what is no longer counted */
    async acknowledge(): Promise<Loss> {
      const [lost = '', since = ''] = await acknowledgeLost(KEYS, {});
      return lossOf(lost, since);
    },

    /** What {@link acknowledge} would return; changes nothing. */
    async unacknowledged(): Promise<Loss> {
      const [lost, since] = await Promise.all([
        redis.get(KEYS.lostTotal),
        redis.get(KEYS.lostSince),
      ]);
      return lossOf(lost ?? '', since ?? '');
    },
  };
}

function lossOf(lost: string, since: string): Loss {
  return {
    deliveries: Number(lost) || 0,
    since: since === '' ? undefined : new Date(Number(since) / 1_000),
  };
}
