import type { Redis } from 'ioredis';
import { idOfTimestamp } from '../clock';
import { hookKeys, KEYS } from '../redis-keys';
import { type DeadLetterRef, readFailedCleanups } from './dead-letter';

/** Read, and processed in parallel, at a time. */
const CHUNK = 200;

/**
 * Calls `work` for all dead letters, some at a time, executions first and the oldest first. Goes by
 * their ids, not by their positions: what `work` removes makes it skip nothing, and what fails
 * again is not met twice.
 * @param of.until when to stop (ms since 1970)
 * @returns whether it came to the end
 */
export async function eachChunk(
  redis: Redis,
  of: { uuid?: string | undefined; until: number },
  work: (refs: DeadLetterRef[]) => Promise<void>,
): Promise<boolean> {
  const { uuid, until } = of;
  const { set, toRef } = deadExecutions(uuid);

  for (let after = '-inf'; ;) {
    if (Date.now() >= until) return false;
    const chunk = await redis.zrangebyscore(set, after, '+inf', 'LIMIT', 0, CHUNK);
    const last = chunk.at(-1);
    if (last === undefined) break;
    // Ids are unique for one hook only: the same id of other hooks belongs to this chunk.
    const { id } = toRef(last);
    const ties = await redis.zrangebyscore(set, id, id);
    await work([...new Set([...chunk, ...ties])].map(toRef));
    after = `(${id}`;
  }

  const cleanups = await readFailedCleanups(redis, uuid);
  await work(
    // Not by dividing: 1790000000002000000 / 1000 is no whole number in doubles.
    cleanups.flatMap(({ uuid: cleanup, timestamp }): DeadLetterRef[] => {
      const id = idOfTimestamp(String(timestamp));
      return id === undefined ? [] : [{ kind: 'cleanup', uuid: cleanup, id }];
    }),
  );
  return true;
}

/** The sorted set of the dead letters among the executions of one hook or all. */
export function deadExecutions(uuid: string | undefined): {
  set: string;
  toRef: (member: string) => DeadLetterRef;
} {
  const kind = 'execution';
  if (uuid !== undefined) return { set: hookKeys(uuid).dead, toRef: (id) => ({ kind, uuid, id }) };
  return {
    set: KEYS.failed,
    // From `uuid/id`; a uuid has no slash.
    toRef(member) {
      const at = member.lastIndexOf('/');
      return { kind, uuid: member.slice(0, at), id: member.slice(at + 1) };
    },
  };
}
