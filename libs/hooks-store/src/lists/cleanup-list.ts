import type { Redis } from 'ioredis';
import { type Cleanup, parseCleanup } from '../cleanups/cleanup';
import { CLEANUP_SETS } from '../forget-cleanup.lua';
import { readableOf } from '../pipeline-replies';
import { cleanupKey, KEYS } from '../redis-keys';

const AT_ONCE = 200;

/**
 * Cleanups of deleted branches: the scheduled ones by their time, then the stopped, then the failed
 * ones.
 */
export async function listCleanups(
  redis: Redis,
  limit: number,
): Promise<{ found: Cleanup[]; total: number }> {
  const found: Cleanup[] = [];
  let total = 0;
  for (const set of CLEANUP_SETS.map((name) => KEYS[name])) {
    total += await redis.zcard(set);
    for (let from = 0; found.length < limit; from += AT_ONCE) {
      const ids = await redis.zrange(set, String(from), String(from + AT_ONCE - 1));
      if (ids.length === 0) break;
      const pipeline = redis.pipeline();
      for (const id of ids) pipeline.hgetall(cleanupKey(id));
      const records = (await readableOf(pipeline)) as (Record<string, string> | undefined)[];
      for (const [index, id] of ids.entries()) {
        const cleanup = parseCleanup(id, records[index] ?? {});
        if (cleanup && found.length < limit) found.push(cleanup);
      }
    }
  }
  return { found, total };
}
