import { vcsKeys } from '@cds/redis';
import type { Redis } from 'ioredis';

const DAY_SECONDS = 24 * 60 * 60;
/** The pause before a repair that failed for a reason that passes. */
const RETRY_SECONDS = 60 * 60;

/**
 * When the webhooks of a repository are repaired. Rejects while Redis is away. It only saves calls:
 * an entry that Redis loses costs one more listing.
 */
export function createRepairSchedule(deps: { redis: Redis; fingerprint: string }) {
  const { redis, fingerprint } = deps;
  return {
    /** Whether the repository is due; if so, it is not due again for a day, on any replica. */
    async claim(repository: string): Promise<boolean> {
      const key = vcsKeys.webhooksChecked(fingerprint, repository);
      return (await redis.set(key, '1', 'EX', DAY_SECONDS, 'NX')) === 'OK';
    },
    /** Makes the repository due again in an hour. */
    async retryLater(repository: string): Promise<void> {
      await redis.expire(vcsKeys.webhooksChecked(fingerprint, repository), RETRY_SECONDS);
    },
  };
}
