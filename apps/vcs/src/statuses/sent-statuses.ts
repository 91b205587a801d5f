import { vcsKeys } from '@cds/redis';
import type { Logger } from '@cds/service';
import type { Redis } from 'ioredis';
import { maxEntries } from '@cds/service';
import { LRUCache } from 'lru-cache';
import { sentSchema, shouldSend, type SentStatus } from './status-order';

/** Longer than any workflow runs. */
const TTL_SECONDS = 30 * 24 * 60 * 60;

/** A status at Bitbucket: `id` is its `vcsKeys.sentStatus`. */
interface StatusOfCommit {
  id: string;
  /** `workspace/slug` */
  repository: string;
  hash: string;
  key: string;
}

export type SentStatuses = ReturnType<typeof createSentStatuses>;

/**
 * The last status that was sent of each key. Stored in Redis for all replicas, and in memory for
 * when Redis is away or lost a status.
 */
export function createSentStatuses({ redis, logger }: { redis: Redis; logger: Logger }) {
  const memory = new LRUCache<string, { status: SentStatus; inRedis: boolean }>(maxEntries(5000));
  return {
    async read(id: string): Promise<SentStatus | undefined> {
      const own = memory.get(id);
      try {
        const text = await redis.get(id);
        // Redis may have lost it.
        if (text === null) return own?.status;
        const stored = sentSchema.parse(JSON.parse(text));
        // Another replica may have sent a newer status than the one that Redis refused here.
        return own && !own.inRedis && shouldSend(stored, own.status) ? own.status : stored;
      } catch (error) {
        logger.warn({ err: error }, 'last build status not read from Redis');
        return own?.status;
      }
    },
    async write({ id, repository, hash, key }: StatusOfCommit, status: SentStatus): Promise<void> {
      memory.set(id, { status, inRedis: false });
      const text = JSON.stringify(status);
      const ofCommit = vcsKeys.statusesOfCommit(repository, hash);
      try {
        await Promise.all([
          redis.set(id, text, 'EX', TTL_SECONDS),
          redis.hset(ofCommit, key, text),
          redis.expire(ofCommit, TTL_SECONDS),
        ]);
        memory.set(id, { status, inRedis: true });
      } catch (error) {
        logger.warn({ err: error }, 'last build status not stored in Redis');
      }
    },
  };
}
