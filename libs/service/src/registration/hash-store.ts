import type { Redis } from 'ioredis';

/** More than a service is ever given between two restarts of the API: one for each absence of over 180 s. */
export const MAX_HASHES = 50;
/** Longer than any API runs without a restart. */
const MAX_AGE_MS = 400 * 24 * 60 * 60 * 1_000;

/** The fingerprints of the hashes that a service was given under its name. */
export interface HashStore {
  /** The newest ones. Rejects while Redis is away. */
  read(): Promise<string[]>;
  /** Adds one, or says that it is in use today. Rejects while Redis is away. */
  add(fingerprint: string): Promise<void>;
  /** Calls `listener` each time that Redis can be asked again, at once when that is so now. */
  onReady(listener: () => void): void;
}

/**
 * Keeps fingerprints in the sorted set `key`, scored by when each was given last (ms): the newest 50 of 400 days.
 * Whoever reads that Redis cannot call the service by what is there: see `fingerprintOf`.
 */
export function createHashStore(redis: Redis, key: string): HashStore {
  return {
    read: () => redis.zrevrange(key, 0, MAX_HASHES - 1),
    async add(fingerprint) {
      const now = Date.now();
      await redis
        .multi()
        .zadd(key, now, fingerprint)
        .zremrangebyscore(key, '-inf', now - MAX_AGE_MS)
        .zremrangebyrank(key, 0, -MAX_HASHES - 1)
        .pexpire(key, MAX_AGE_MS)
        .exec()
        .then((results) => {
          const failed = results?.find(([error]) => error)?.[0];
          if (failed) throw failed;
        });
    },
    onReady(listener) {
      redis.on('ready', listener);
      if (redis.status === 'ready') listener();
    },
  };
}
