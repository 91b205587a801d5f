import { createHash } from 'node:crypto';
import type { Logger } from '@cds/service';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Grant } from './grant';
import type { GrantCipher } from './grant-cipher';

const DAY_MS = 24 * 60 * 60 * 1000;

/** A grant that nobody used for so long is forgotten; Bitbucket forgets its refresh token after three months. */
const GRANT_TTL_SECONDS = 100 * 24 * 60 * 60;

/** How long a decrypted grant is kept in memory, to save the round trips of a burst. */
const MEMORY_MS = 5_000;

const grantSchema = z.object({
  accessToken: z.string().min(1),
  refreshToken: z.string().min(1),
  expiresAt: z.number(),
  lifetimeMs: z.number(),
});

export interface GrantStoreDeps {
  redis: Redis;
  cipher: GrantCipher;
  logger: Logger;
}

/** The newest pair of every grant, encrypted in Redis. */
export interface GrantStore {
  /** From memory if it was read in the last 5 s, else from Redis. Rejects when Redis does not answer. */
  read(key: string): Promise<Grant | undefined>;
  /** From Redis, whatever memory holds. */
  readFresh(key: string): Promise<Grant | undefined>;
  write(key: string, grant: Grant): Promise<void>;
}

/**
 * Where a grant is kept. The API knows a project by the refresh token of its linking for ever, so that one names the
 * grant, although it is long used up.
 */
export function grantKey(firstRefreshToken: string): string {
  return `cdsbb:vcs:grant:${createHash('sha256').update(firstRefreshToken).digest('hex')}`;
}

export function createGrantStore({ redis, cipher, logger }: GrantStoreDeps): GrantStore {
  const memory = new LRUCache<string, Grant>({ max: 1000, ttl: MEMORY_MS });
  const prolonged = new LRUCache<string, true>({ max: 10_000, ttl: DAY_MS });

  /** Once a day and process is enough to keep a grant that is in use; nobody waits for it. */
  function prolong(key: string): void {
    if (prolonged.has(key)) return;
    prolonged.set(key, true);
    redis.expire(key, GRANT_TTL_SECONDS).catch((error: unknown) => {
      prolonged.delete(key);
      logger.debug({ err: error }, 'could not prolong a grant');
    });
  }

  async function readFresh(key: string): Promise<Grant | undefined> {
    const sealed = await redis.get(key);
    const grant = sealed === null ? undefined : parse(key, sealed);
    if (!grant) {
      memory.delete(key);
      return undefined;
    }
    prolong(key);
    memory.set(key, grant);
    return grant;
  }

  function parse(key: string, sealed: string): Grant | undefined {
    const text = cipher.open(key, sealed);
    if (text === undefined) {
      logger.warn(
        { key },
        'a stored grant cannot be decrypted: was the client secret changed? Projects linked before have to be linked again',
      );
      return undefined;
    }
    return grantSchema.parse(JSON.parse(text));
  }

  return {
    read: async (key) => memory.get(key) ?? readFresh(key),
    readFresh,
    async write(key, grant) {
      await redis.set(key, cipher.seal(key, JSON.stringify(grant)), 'EX', GRANT_TTL_SECONDS);
      memory.set(key, grant);
    },
  };
}
