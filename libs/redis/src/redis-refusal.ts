import type { Redis } from 'ioredis';
import { answeredByRedis } from './redis-deadline';
import { whyNoWrites } from './why-no-writes';

/** Shorter than the second that probes of Kubernetes wait by default. */
const DEADLINE_MS = 900;

/**
 * Why Redis takes no write now, for any reader; undefined where it takes one. Never rejects.
 *
 * SET with XX changes nothing where the key does not exist, and is refused as any other write is.
 *
 * @param key one that never exists
 */
export function redisRefusal(redis: Redis, key: string): Promise<string | undefined> {
  return answeredByRedis(() => redis.set(key, '', 'XX'), DEADLINE_MS).then(
    () => undefined,
    (error: unknown) => {
      const why = whyNoWrites(error instanceof Error ? (error.cause ?? error) : error);
      return why === undefined ? 'Redis does not answer' : `Redis refuses writes: ${why}`;
    },
  );
}
