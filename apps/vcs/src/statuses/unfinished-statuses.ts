import { vcsKeys } from '@cds/redis';
import type { Logger } from '@cds/service';
import type { Redis } from 'ioredis';
import { z } from 'zod';

/** The limit, beyond the builds of any CDS; those that are due first are dropped. */
export const MAX_UNFINISHED = 5_000;
/** Characters of one record, beyond any real names. */
const MAX_RECORD = 16_384;
/** No build takes longer. */
export const MAX_AGE_MS = 7 * 24 * 60 * 60 * 1_000;

const recordSchema = z.object({
  server: z.string(),
  /** `workspace/slug` */
  repository: z.string(),
  hash: z.string(),
  branch: z.string(),
  project: z.string(),
  workflow: z.string(),
  node: z.string(),
  number: z.int(),
  /** The key of the credential with which it was sent; no token. */
  grant: z.string(),
  /** When it was sent (ms). */
  since: z.number(),
  /** What CDS 0.54 and later called it; else it is made of the names above. */
  named: z.object({ key: z.string(), name: z.string(), url: z.string() }).optional(),
  /** Since when its end can be neither read nor sent (ms). */
  refusedSince: z.number().optional(),
});

/** A status that is not final at Bitbucket, or a final one that it did not take. */
export type UnfinishedStatus = z.infer<typeof recordSchema>;

/** Stored in Redis for all replicas. Saving and removing never reject: no status waits for them. */
export interface UnfinishedStatuses {
  /**
   * Replaces the record of `id`, its `vcsKeys.sentStatus`. @param askAt when the API is asked (ms)
   */
  save(id: string, status: UnfinishedStatus, askAt: number): Promise<void>;
  remove(id: string): Promise<void>;
  /**
   * Postpones one that is still there. Rejects while Redis is away. @param change its new record
   */
  postpone(id: string, askAt: number, change?: UnfinishedStatus): Promise<void>;
  /** Ids of those that are due by `until`, the earliest first. Rejects while Redis is away. */
  due(until: number, limit: number): Promise<string[]>;
  /** Undefined when it is gone or cannot be read. Rejects while Redis is away. */
  read(id: string): Promise<UnfinishedStatus | undefined>;
  /** Drops those beyond the limit. Rejects while Redis is away. */
  trim(): Promise<void>;
}

export function createUnfinishedStatuses(deps: {
  redis: Redis;
  logger: Logger;
}): UnfinishedStatuses {
  const { redis, logger } = deps;
  return {
    async save(id, status, askAt) {
      const record = JSON.stringify(status);
      if (record.length > MAX_RECORD) return;
      await redis
        .multi()
        .set(vcsKeys.unfinishedStatus(id), record, 'PX', MAX_AGE_MS)
        .zadd(vcsKeys.unfinished, askAt, id)
        .exec()
        .catch((error: unknown) => {
          logger.warn({ err: error }, 'unfinished build status not stored in Redis');
        });
    },
    async remove(id) {
      await redis
        .multi()
        .del(vcsKeys.unfinishedStatus(id))
        .zrem(vcsKeys.unfinished, id)
        .exec()
        .catch((error: unknown) => {
          logger.warn({ err: error }, 'unfinished build status not removed from Redis');
        });
    },
    async postpone(id, askAt, change) {
      const postponing = redis.zadd(vcsKeys.unfinished, 'XX', askAt, id);
      const record = JSON.stringify(change);
      if (change) await redis.set(vcsKeys.unfinishedStatus(id), record, 'PX', MAX_AGE_MS, 'XX');
      await postponing;
    },
    due: (until, limit) =>
      redis.zrangebyscore(vcsKeys.unfinished, '-inf', until, 'LIMIT', 0, limit),
    async read(id) {
      const text = await redis.get(vcsKeys.unfinishedStatus(id));
      if (text === null) return undefined;
      try {
        return recordSchema.parse(JSON.parse(text));
      } catch (error) {
        logger.warn({ err: error, id }, 'unfinished build status cannot be read: forgotten');
        return undefined;
      }
    },
    async trim() {
      await redis.zremrangebyrank(vcsKeys.unfinished, 0, -MAX_UNFINISHED - 1);
    },
  };
}
