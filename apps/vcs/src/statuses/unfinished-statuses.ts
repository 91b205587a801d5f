import { vcsKeys } from '@cds/redis';
import type { Logger } from '@cds/service';
import type { Redis } from 'ioredis';
import { maxEntries } from '@cds/service';
import { LRUCache } from 'lru-cache';
import * as z from 'zod';

/** The limit, beyond the builds of any CDS; those that are due first are dropped. */
export const MAX_UNFINISHED = 5_000;
/** Characters of one record, beyond any real names. */
const MAX_RECORD = 16_384;
/** No build takes longer. */
export const MAX_AGE_MS = 7 * 24 * 60 * 60 * 1_000;

/** Credentials whose statuses wait. */
const MAX_CREDENTIALS = 1_000;

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

export type UnfinishedStatuses = ReturnType<typeof createUnfinishedStatuses>;

/**
 * Stored in Redis for all replicas. Saving and removing never reject: no status waits for them. The
 * others reject while Redis is away. The `id` of a status is its `vcsKeys.sentStatus`.
 */
export function createUnfinishedStatuses({ redis, logger }: { redis: Redis; logger: Logger }) {
  return {
    /** Replaces the record of `id`. @param askAt when the API is asked (ms) */
    async save(id: string, status: UnfinishedStatus, askAt: number): Promise<void> {
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
    async remove(id: string): Promise<void> {
      await redis
        .multi()
        .del(vcsKeys.unfinishedStatus(id))
        .zrem(vcsKeys.unfinished, id)
        .exec()
        .catch((error: unknown) => {
          logger.warn({ err: error }, 'unfinished build status not removed from Redis');
        });
    },
    /** Postpones one that is still there. @param change its new record */
    async postpone(id: string, askAt: number, change?: UnfinishedStatus): Promise<void> {
      const postponing = redis.zadd(vcsKeys.unfinished, 'XX', askAt, id);
      const record = JSON.stringify(change);
      if (change) await redis.set(vcsKeys.unfinishedStatus(id), record, 'PX', MAX_AGE_MS, 'XX');
      await postponing;
    },
    /** Ids of those that are due by `until`, the earliest first. */
    due: (until: number, limit: number) =>
      redis.zrangebyscore(vcsKeys.unfinished, '-inf', until, 'LIMIT', 0, limit),
    /** Undefined when it is gone or cannot be read. */
    async read(id: string): Promise<UnfinishedStatus | undefined> {
      const text = await redis.get(vcsKeys.unfinishedStatus(id));
      if (text === null) return undefined;
      try {
        return recordSchema.parse(JSON.parse(text));
      } catch (error) {
        logger.warn({ err: error, id }, 'unfinished build status cannot be read: forgotten');
        return undefined;
      }
    },
    /** Drops those beyond the limit. */
    async trim(): Promise<void> {
      await redis.zremrangebyrank(vcsKeys.unfinished, 0, -MAX_UNFINISHED - 1);
    },
  };
}

/**
 * Unfinished statuses of VCS projects whose token this process does not know, since nothing stores
 * it. The next call of the API for such a project brings it.
 */
export function createWaitingStatuses() {
  const byGrant = new LRUCache<string, Set<string>>(maxEntries(MAX_CREDENTIALS));
  return {
    add(grant: string, id: string): void {
      byGrant.set(grant, (byGrant.get(grant) ?? new Set()).add(id));
    },
    /** The ids that waited for this credential; they wait no more. */
    take(grant: string): string[] {
      const ids = byGrant.get(grant) ?? [];
      byGrant.delete(grant);
      return [...ids];
    },
  };
}
