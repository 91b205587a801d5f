import { KEYS, MADE_FIELD, SYNCHRONIZED_FIELD } from '../redis-keys';
import { repliesOf } from '../pipeline-replies';
import { defineScript, replies } from '@cds/redis';
import type { Redis } from 'ioredis';

/** After this time the result of an earlier listing says nothing. */
const UNLISTED_MS = 3_600_000;
/** Commands of one pipeline. */
const AT_ONCE = 1_000;
/** Time between two readings of the API's hooks because of deliveries, over all replicas. */
const ASK_AGAIN_MS = 60_000;

/** Returns 1, or 0 when the mark is another by now. */
const STORE_SYNCHRONIZED = defineScript({
  name: 'cdsbbStoreSynchronized',
  keys: ['mark'],
  args: ['made', 'began'],
  reply: replies.flag,
  lua: (K, A) => `
if redis.call('HGET', ${K.mark}, '${MADE_FIELD}') ~= ${A.made} then return 0 end
redis.call('HSET', ${K.mark}, '${SYNCHRONIZED_FIELD}', ${A.began})
return 1
`,
});

export type SynchronizedStore = ReturnType<typeof createSynchronizedStore>;

/** The results of synchronizations, for the next one and for all replicas. */
export function createSynchronizedStore({ redis }: { redis: Redis }) {
  const storeSynchronized = STORE_SYNCHRONIZED.on(redis);

  return {
    /** Names the state in Redis, for `note`; "" without one. */
    async begin(): Promise<string> {
      return (await redis.hget(KEYS.mark, MADE_FIELD)) ?? '';
    },

    /**
     * All hooks of the API are stored.
     * @param made the result of `begin`
     * @param began when they were requested (ms)
     * @throws Error where Redis was emptied in between
     */
    async note(made: string, began: number): Promise<void> {
      if (!(await storeSynchronized(KEYS, { made, began })))
        throw new Error('Redis was emptied while the hooks of the API were read');
    },

    /** After a loss of tasks, their hooks are unknown until the next synchronization. */
    async forget(): Promise<void> {
      await redis.hdel(KEYS.mark, SYNCHRONIZED_FIELD);
    },

    /** Stores that the API does not list these tasks. @returns since when (ms), with this time */
    async unlistedSince(uuids: readonly string[], now: number): Promise<Map<string, number>> {
      const since = new Map<string, number>();
      for (let i = 0; i < uuids.length; i += AT_ONCE) {
        const some = uuids.slice(i, i + AT_ONCE);
        const pipeline = redis.pipeline();
        pipeline.zadd(KEYS.unlisted, 'NX', ...some.flatMap((uuid) => [now, uuid]));
        pipeline.zmscore(KEYS.unlisted, ...some);
        pipeline.pexpire(KEYS.unlisted, UNLISTED_MS);
        const scores = (await repliesOf(pipeline))[1] as (string | null)[];
        for (const [index, uuid] of some.entries()) since.set(uuid, Number(scores[index] ?? now));
      }
      return since;
    },

    /** These tasks without those of outgoing hooks, which the API does not list. */
    async listedIfThere(uuids: readonly string[]): Promise<string[]> {
      const listed: string[] = [];
      for (let i = 0; i < uuids.length; i += AT_ONCE) {
        const some = uuids.slice(i, i + AT_ONCE);
        const outgoing = await redis.zmscore(KEYS.outgoing, ...some);
        listed.push(...some.filter((_, index) => outgoing[index] === null));
      }
      return listed;
    },

    /** The API lists most of them again. */
    async forgetUnlisted(): Promise<void> {
      await redis.unlink(KEYS.unlisted);
    },

    /** Whether a delivery may start a reading of the API's hooks now. */
    async mayAsk(): Promise<boolean> {
      return (await redis.set(KEYS.synchronizeAsked, '1', 'PX', ASK_AGAIN_MS, 'NX')) === 'OK';
    },
  };
}
