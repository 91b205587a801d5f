import { vcsKeys } from '@cds/redis';
import type { Redis } from 'ioredis';

const DAY_SECONDS = 24 * 60 * 60;
/** What failed for a reason that passes is tried again after that. */
const AGAIN_SECONDS = 60 * 60;

/** Whose webhooks were looked at today, by any replica. Both reject when Redis does not answer. */
export interface DailyTurns {
  /** Whether it is this repository's turn; if so, it is not again for a day. */
  take(repository: string): Promise<boolean>;
  /** Its turn comes again in an hour. */
  takeBack(repository: string): Promise<void>;
}

/** It only saves calls: a turn that Redis loses costs one listing more. */
export function createDailyTurns(deps: { redis: Redis; fingerprint: string }): DailyTurns {
  const { redis, fingerprint } = deps;
  return {
    async take(repository) {
      const key = vcsKeys.webhooksChecked(fingerprint, repository);
      return (await redis.set(key, '1', 'EX', DAY_SECONDS, 'NX')) === 'OK';
    },
    async takeBack(repository) {
      await redis.expire(vcsKeys.webhooksChecked(fingerprint, repository), AGAIN_SECONDS);
    },
  };
}
