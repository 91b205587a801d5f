import type { Redis } from 'ioredis';
import * as z from 'zod';
import { repliesOf } from '../pipeline-replies';
import { hookKeys, refusalsKey } from '../redis-keys';
import { parseJson } from '../unreadable/read-config';

/** Refusals that are kept for each hook, the newest. */
export const MAX_REFUSALS = 20;
const KEPT_SECONDS = 7 * 24 * 60 * 60;

const refusalSchema = z.object({
  /** When it was refused (ms). */
  at: z.number(),
  /** Of the service's log. */
  request_id: z.string().catch(''),
  /** Bitbucket's name of the delivery, as its request history shows it. */
  request_uuid: z.string().catch(''),
  event: z.string().catch(''),
  /** Who sent it. */
  address: z.string().catch(''),
  /** As metrics name it: `unauthentic`, `malformed`, …. */
  reason: z.string(),
  /** The answer to the sender. */
  status: z.number(),
  error: z.string().catch(''),
  /** Refusals before this one that are not kept: too many at once. */
  left_out: z.number().catch(0),
});

/** A delivery that was refused. It holds nothing of the body, and no header that may be secret. */
export type StoredRefusal = z.infer<typeof refusalSchema>;

/** The newest refused deliveries of each hook, which explain a push without a run. */
export function createRefusalStore({ redis }: { redis: Redis }) {
  return {
    /** Stores nothing for an unknown hook: strangers make up any number of them. */
    async add(uuid: string, refusal: StoredRefusal): Promise<void> {
      if ((await redis.exists(hookKeys(uuid).task)) === 0) return;
      const key = refusalsKey(uuid);
      const writing = redis.multi().lpush(key, JSON.stringify(refusal));
      await repliesOf(writing.ltrim(key, 0, MAX_REFUSALS - 1).expire(key, KEPT_SECONDS));
    },

    /** The newest first; without those that cannot be read. */
    async of(uuid: string): Promise<StoredRefusal[]> {
      const texts = await redis.lrange(refusalsKey(uuid), 0, MAX_REFUSALS - 1);
      return texts.flatMap((text) => refusalSchema.safeParse(parseJson(text)).data ?? []);
    },
  };
}

export type RefusalStore = ReturnType<typeof createRefusalStore>;
