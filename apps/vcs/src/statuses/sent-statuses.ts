import type { Logger } from '@cds/service';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { shouldSend, type SentStatus } from './status-order';

/** Longer than any workflow runs. */
const TTL_SECONDS = 30 * 24 * 60 * 60;

const sentSchema = z.object({
  number: z.number(),
  subNumber: z.number(),
  state: z.enum(['SUCCESSFUL', 'FAILED', 'INPROGRESS', 'STOPPED']),
  description: z.string(),
  url: z.string(),
});

/** The last status that Bitbucket has of each key. */
export interface SentStatuses {
  read(id: string): Promise<SentStatus | undefined>;
  write(id: string, status: SentStatus): Promise<void>;
}

/**
 * Kept in Redis for all replicas. What this process sent is also in its memory: that serves while
 * Redis is away, and after that for what Redis did not take or has lost.
 */
export function createSentStatuses(deps: { redis: Redis; logger: Logger }): SentStatuses {
  const { redis, logger } = deps;
  const memory = new LRUCache<string, { status: SentStatus; inRedis: boolean }>({ max: 5000 });
  return {
    async read(id) {
      const own = memory.get(id);
      try {
        const text = await redis.get(id);
        // What Redis lost is still known here.
        if (text === null) return own?.status;
        const kept = sentSchema.parse(JSON.parse(text));
        // Another replica may have sent since what Redis did not take from this one.
        return own && !own.inRedis && shouldSend(kept, own.status) ? own.status : kept;
      } catch (error) {
        logger.warn({ err: error }, 'Redis does not say which build status was sent last');
        return own?.status;
      }
    },
    async write(id, status) {
      memory.set(id, { status, inRedis: false });
      try {
        await redis.set(id, JSON.stringify(status), 'EX', TTL_SECONDS);
        memory.set(id, { status, inRedis: true });
      } catch (error) {
        logger.warn({ err: error }, 'Redis did not take which build status was sent last');
      }
    },
  };
}
