import { defineScript, type GrantCipher, replies, storedGrantSchema } from '@cds/redis';
import type { Logger } from '@cds/service';
import type { Redis } from 'ioredis';
import { maxEntries } from '@cds/service';
import { LRUCache } from 'lru-cache';
import type { Grant } from './grant';

const DAY_MS = 24 * 60 * 60 * 1000;

/** The life of an unused grant; Bitbucket forgets its refresh token after three months. */
const GRANT_TTL_SECONDS = 100 * 24 * 60 * 60;

/** The time a decrypted grant stays in memory, to save the round trips of a burst. */
const MEMORY_MS = 5_000;
/** Grants whose newest pair is kept in memory: two tokens of up to 2,500 characters each. */
const MAX_NEWEST = 2_000;
/** The wait for a replica of Redis; it blocks the connection. */
const REPLICA_MS = 300;

/** Replaces the grant that was read, and no other. Returns 1 when it was replaced. */
const REPLACE_GRANT = defineScript({
  name: 'cdsbbReplaceGrant',
  keys: ['grant'],
  args: ['read', 'sealed', 'ttlSeconds'],
  reply: replies.flag,
  lua: (K, A) => `
if (redis.call('GET', ${K.grant}) or '') ~= ${A.read} then return 0 end
redis.call('SET', ${K.grant}, ${A.sealed}, 'EX', ${A.ttlSeconds})
return 1
`,
});

export type GrantStore = ReturnType<typeof createGrantStore>;

/**
 * The newest pair of every grant, encrypted in Redis. After a failover Redis may hold a used-up
 * pair: this process restores the newest pairs that it saw.
 */
export function createGrantStore(deps: { redis: Redis; cipher: GrantCipher; logger: Logger }) {
  const { redis, cipher, logger } = deps;
  const memory = new LRUCache<string, Grant>({ ...maxEntries(1000), ttl: MEMORY_MS });
  const newest = new LRUCache<string, Grant>(maxEntries(MAX_NEWEST));
  const replaceGrant = REPLACE_GRANT.on(redis);
  const extended = new LRUCache<string, true>({ ...maxEntries(10_000), ttl: DAY_MS });

  /** Runs in the background; once a day and process is enough to keep a grant that is in use. */
  function extendTtl(key: string): void {
    if (extended.has(key)) return;
    extended.set(key, true);
    redis.expire(key, GRANT_TTL_SECONDS).catch((error: unknown) => {
      extended.delete(key);
      logger.debug({ err: error }, 'time to live of a grant not extended');
    });
  }

  function remember(key: string, grant: Grant): void {
    memory.set(key, grant);
    newest.set(key, grant);
  }

  async function readFresh(key: string): Promise<Grant | undefined> {
    for (;;) {
      const sealed = await redis.get(key);
      const grant = sealed === null ? undefined : parse(key, sealed);
      const known = newest.get(key);
      if (known && (grant === undefined ? sealed === null : grant.generation < known.generation)) {
        if (await restore(key, sealed ?? '', known)) return known;
        continue;
      }
      if (!grant) {
        memory.delete(key);
        return undefined;
      }
      extendTtl(key);
      remember(key, grant);
      return grant;
    }
  }

  /** @returns false when Redis holds something else than what was read by now */
  async function restore(key: string, read: string, grant: Grant): Promise<boolean> {
    const sealed = cipher.seal(key, JSON.stringify(grant));
    const args = { read, sealed, ttlSeconds: GRANT_TTL_SECONDS };
    if (!(await replaceGrant({ grant: key }, args))) return false;
    logger.warn(
      { key, generation: grant.generation },
      'renewed grant lost by Redis: the pair in memory is written again',
    );
    memory.set(key, grant);
    await waitForReplica();
    return true;
  }

  /** A failover loses what is on no replica. Never rejects. */
  async function waitForReplica(): Promise<void> {
    try {
      const [role, , replicas] = await redis.role();
      if (role !== 'master' || !Array.isArray(replicas) || replicas.length === 0) return;
      if ((await redis.wait(1, REPLICA_MS)) > 0) return;
      logger.info({ replicas: replicas.length }, 'renewed grant not replicated by Redis yet');
    } catch (error) {
      logger.debug({ err: error }, 'replication of a grant cannot be checked');
    }
  }

  function parse(key: string, sealed: string): Grant | undefined {
    const text = cipher.open(key, sealed);
    if (text === undefined) {
      logger.warn(
        { key },
        'stored grant cannot be decrypted: after a change of the client secret, link the projects again',
      );
      return undefined;
    }
    return storedGrantSchema.parse(JSON.parse(text));
  }

  return {
    /** From memory, at most 5 s old, else from Redis. Rejects while Redis is away. */
    read: async (key: string) => memory.get(key) ?? readFresh(key),
    /** Always from Redis. Rejects while Redis is away. */
    readFresh,
    /** Also waits a moment for a replica, where Redis has one. */
    async write(key: string, grant: Grant): Promise<void> {
      // The newest from now on, also where Redis refuses or loses it.
      newest.set(key, grant);
      await redis.set(key, cipher.seal(key, JSON.stringify(grant)), 'EX', GRANT_TTL_SECONDS);
      memory.set(key, grant);
      await waitForReplica();
    },
  };
}
