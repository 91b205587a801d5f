import { redisNowMs, vcsKeys } from '@cds/redis';
import type { Redis } from 'ioredis';

/** A `vcs` that runs says so every 3 s. */
const SEEN_MS = 10_000;

/**
 * Whether a `vcs` of the same Redis runs, by the owners of its state. True also where none ever
 * used this Redis: it may have another.
 */
export async function isVcsInRedis(redis: Redis): Promise<boolean> {
  const fields = await redis.hgetall(vcsKeys.state);
  const seen = Object.entries(fields).flatMap(([field, at]) =>
    field.startsWith('owner:') ? [Number(at)] : [],
  );
  if (seen.length === 0) return true;
  return (await redisNowMs(redis)) - Math.max(...seen) < SEEN_MS;
}
