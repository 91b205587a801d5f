import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { hookKeys, KEYS } from '../redis-keys';
import { fieldsOf, readWithBody } from '../stored-execution-text';
import { unlessUnreadable } from '../unreadable/check-execution';

const SCANNED = 1_000;

/** A pending execution with the body of its request; undefined where it cannot be read. */
export type ParsedExecution = ReturnType<typeof readWithBody> | undefined;

/** The hooks with pending executions, and these executions. */
export function createPendingStore({ redis }: { redis: Redis }) {
  return {
    /** Some of the hooks; all of them by the time that `next` is `0` again. */
    async someHooks(cursor: string): Promise<{ next: string; uuids: string[] }> {
      const [next, uuids] = await redis.sscan(KEYS.pending, cursor, 'COUNT', SCANNED);
      return { next, uuids };
    },

    /** Whether the hook has any and is not stopped. */
    async isPending(uuid: string): Promise<boolean> {
      return (await redis.sismember(KEYS.pending, uuid)) === 1;
    },

    /** The lock tokens of the processes that hold these hooks; null for a free one. */
    owners: async (uuids: readonly string[]): Promise<(string | null)[]> =>
      uuids.length === 0 ? [] : redis.mget(uuids.map((uuid) => hookKeys(uuid).owner)),

    /** Their ids in order. @param most of them */
    ids: (uuid: string, most?: number): Promise<string[]> =>
      redis.lrange(hookKeys(uuid).waiting, 0, most === undefined ? -1 : most - 1),

    async read(uuid: string, ids: readonly string[]): Promise<Map<string, ParsedExecution>> {
      const texts = await redis.hmget(hookKeys(uuid).executions, ...fieldsOf(ids));
      return new Map(
        ids.flatMap((id, index) => {
          const [json, body] = texts.slice(2 * index);
          return json ? [[id, unlessUnreadable(() => readWithBody(json, body))] as const] : [];
        }),
      );
    },
  };
}

/** A turn that is seen so often in a row is over, whatever its time-to-live. */
const TURN_SEEN = 3;

/**
 * Prepares to ask whether this replica may requeue lost jobs. Saves work: two at once do no harm.
 *
 * Each turn has a token. A token that stays has a time-to-live that does not end, since the clock
 * of Redis's machine was put back.
 * @param turnMs length of a turn
 */
export function createRequeueTurn({ redis, turnMs }: { redis: Redis; turnMs: number }) {
  let lastTurn: { token: string | null; seen: number } = { token: null, seen: 0 };

  return async function isMyTurn(): Promise<boolean> {
    const token = randomUUID();
    if (await redis.set(KEYS.sweepLock, token, 'PX', turnMs, 'NX')) return true;
    const other = await redis.get(KEYS.sweepLock);
    lastTurn = { token: other, seen: other === lastTurn.token ? lastTurn.seen + 1 : 1 };
    if (lastTurn.seen < TURN_SEEN) return false;
    await redis.set(KEYS.sweepLock, token, 'PX', turnMs);
    return true;
  };
}
