import { vcsKeys } from '@cds/redis';
import type { Redis } from 'ioredis';

/**
 * Makes a check whether a `vcs` of the same Redis is registered now. What it showed before the
 * first look says nothing: it may have ended since. The check is true also where no `vcs` ever used
 * this Redis: it may have another.
 */
export function createVcsInRedis(redis: Redis): () => Promise<boolean> {
  let first: string | undefined;
  return async () => {
    const [alive, state] = await Promise.all([
      redis.get(vcsKeys.alive),
      redis.exists(vcsKeys.state),
    ]);
    if (state === 0) return true;
    first ??= alive ?? '';
    return alive !== null && alive !== first;
  };
}
