import { redisNowMs } from '@cds/redis';
import type { Redis } from 'ioredis';
import { type Check, failed, ok, type Outcome, warning } from '../finding';

/** Signed calls and sessions of the API, and times of schedules, allow this much. */
const SMALL_MS = 5_000;
const LARGE_MS = 60_000;

export type Clocks = ReturnType<typeof createClocks>;

/** Collects what other checks saw of the clocks of others. */
export function createClocks() {
  const ahead = new Map<string, number>();
  return {
    /** @param ms by how much it is ahead of this machine; undefined where it did not tell */
    note(whose: string, ms: number | undefined): void {
      if (ms !== undefined) ahead.set(whose, ms);
    },

    /** The clock of Redis, then those that were noted. */
    check(targets: readonly { subject: string; redis: Redis }[]): Check {
      const run: Check['run'] = async () => {
        for (const { subject, redis } of targets) {
          if (redis.status !== 'ready') continue;
          const began = Date.now();
          const there = await redisNowMs(redis);
          ahead.set(`Redis of ${subject}`, there - (began + Date.now()) / 2);
        }
        return [...ahead].map(([whose, ms]) => clockOutcome(whose, ms));
      };
      return { id: 'clock', run };
    },
  };
}

function clockOutcome(subject: string, ms: number): Outcome & { subject: string } {
  const seconds = Math.round(Math.abs(ms) / 1_000);
  if (Math.abs(ms) <= SMALL_MS) return { subject, ...ok('agrees with the clock of this machine') };
  const sentence = `${seconds} s ${ms > 0 ? 'ahead of' : 'behind'} the clock of this machine`;
  const fix = 'keep the clocks of all machines by NTP (timedatectl set-ntp true)';
  return { subject, ...(Math.abs(ms) > LARGE_MS ? failed : warning)(sentence, fix) };
}
