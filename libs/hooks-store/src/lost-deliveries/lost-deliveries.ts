import type { Redis } from 'ioredis';
import { KEYS } from '../redis-keys';
import { ACKNOWLEDGE_LOST, COUNT_LOST } from './lost-deliveries.lua';

/** The accepted deliveries that vanished from Redis before they were processed. */
export function createLostDeliveries({ redis }: { redis: Redis }) {
  const countLost = COUNT_LOST.on(redis);
  const acknowledgeLost = ACKNOWLEDGE_LOST.on(redis);

  return {
    /**
     * @param held deliveries in the lists of all hooks; undefined where they were not counted
     * @returns undefined where Redis holds no state
     */
    count: (held?: number) => countLost(KEYS, { held: held ?? '' }),

    /** The cleanups that an emptied Redis would lose. */
    scheduledCleanups: (): Promise<number> => redis.zcard(KEYS.cleanups),

    async add(deliveries: number): Promise<void> {
      await redis.incrby(KEYS.lostTotal, deliveries);
    },

    /** Sets their count to 0. @returns exactly what is no longer counted */
    async acknowledge() {
      const [lost = '', since = ''] = await acknowledgeLost(KEYS, {});
      return lossOf(lost, since);
    },

    /** What {@link acknowledge} would return; changes nothing. */
    async unacknowledged() {
      const [lost, since] = await Promise.all([
        redis.get(KEYS.lostTotal),
        redis.get(KEYS.lostSince),
      ]);
      return lossOf(lost ?? '', since ?? '');
    },
  };
}

function lossOf(lost: string, since: string) {
  return {
    deliveries: Number(lost) || 0,
    /** When the first was noticed; undefined where no `hooks` has checked since. */
    since: since === '' ? undefined : new Date(Number(since) / 1_000),
  };
}
