import type { Redis } from 'ioredis';
import type { Cleanup } from '../cleanups/cleanup';
import { CLEANUP_SETS } from '../cleanups/cleanup-functions.lua';
import { readCleanups } from '../cleanups/read-cleanups';
import { unlessOfAnotherType } from '../pipeline-replies';
import { hookKeys, KEYS } from '../redis-keys';

const AT_ONCE = 200;

/** Cleanups: the scheduled ones by their time, then the stopped, then the failed ones. */
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
      found.push(...(await readCleanups(redis, ids)).slice(0, limit - found.length));
    }
  }
  return { found, total };
}

/** The cleanup that a hook scheduled for a branch; undefined without one. */
export async function readCleanupOf(
  redis: Redis,
  uuid: string,
  branch: string,
): Promise<Cleanup | undefined> {
  const id = await unlessOfAnotherType(redis.hget(hookKeys(uuid).hookCleanups, branch));
  return id ? (await readCleanups(redis, [id]))[0] : undefined;
}
