import type { Redis } from 'ioredis';

/** More than the API gives between two of its restarts: one for each absence of over 180 s. */
export const MAX_HASHES = 50;
/** Longer than any API runs without a restart. */
const MAX_AGE_MS = 400 * 24 * 60 * 60 * 1_000;

/** The fingerprint of a hash, and when the API gave that hash last (ms). */
export interface GivenHash {
  fingerprint: string;
  at: number;
}

/** The fingerprints of the hashes that a service was given under its name. */
export interface HashStore {
  /** The newest ones, newest first. Rejects while Redis is away. */
  read(): Promise<GivenHash[]>;
  /** Adds missing hashes in one round trip, and makes none older. Rejects while Redis is away. */
  add(hashes: readonly GivenHash[]): Promise<void>;
  /** Calls `listener` each time that Redis can be asked again, at once when that is so now. */
  onReady(listener: () => void): void;
}

/**
 * Stores fingerprints in the sorted set `key`, scored by when each was given last (ms): the newest
 * 50 of 400 days. A reader of Redis cannot call the service with them: see `fingerprintOf`
 * of libs/service.
 */
export function createHashStore(redis: Redis, key: string): HashStore {
  return {
    async read() {
      const flat = await redis.zrevrange(key, 0, MAX_HASHES - 1, 'WITHSCORES');
      return flat.flatMap((fingerprint, index) =>
        index % 2 === 0 ? [{ fingerprint, at: Number(flat[index + 1]) }] : [],
      );
    },
    async add(hashes) {
      const now = Date.now();
      const results = await redis
        .multi()
        .zadd(key, 'GT', ...hashes.flatMap(({ fingerprint, at }) => [at, fingerprint]))
        .zremrangebyscore(key, '-inf', now - MAX_AGE_MS)
        .zremrangebyrank(key, 0, -MAX_HASHES - 1)
        .pexpire(key, MAX_AGE_MS)
        .exec();
      const failed = results?.find(([error]) => error)?.[0];
      if (failed) throw failed;
    },
    onReady(listener) {
      redis.on('ready', listener);
      if (redis.status === 'ready') listener();
    },
  };
}
