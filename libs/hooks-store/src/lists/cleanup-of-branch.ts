import type { Redis } from 'ioredis';
import { type Cleanup, parseCleanup } from '../cleanups/cleanup';
import { readableOf } from '../pipeline-replies';
import { cleanupKey, hookKeys } from '../redis-keys';

/** The cleanup that a hook scheduled for a branch; undefined without one. */
export async function readCleanupOf(
  redis: Redis,
  uuid: string,
  branch: string,
): Promise<Cleanup | undefined> {
  const asking = redis.pipeline().hget(hookKeys(uuid).hookCleanups, branch);
  const [id] = (await readableOf(asking)) as (string | null | undefined)[];
  if (!id) return undefined;
  const [record] = await readableOf(redis.pipeline().hgetall(cleanupKey(id)));
  return parseCleanup(id, (record ?? {}) as Record<string, string>);
}
