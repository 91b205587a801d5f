import type { Task } from '@cds/wire';
import type { Redis } from 'ioredis';
import type { Cleanup } from '../cleanups/cleanup';
import { readCleanups } from '../cleanups/read-cleanups';
import { repliesOf, scoresOf } from '../pipeline-replies';
import { KEYS } from '../redis-keys';
import { createTaskStore } from '../tasks/task-store';

/** Part of a list. */
export interface PageOf {
  offset: number;
  limit: number;
}

/** The sets that list hooks by a time. */
export type HookOrder = 'waitingSince' | 'stoppedWaitingSince' | 'due' | 'polls';
export type CleanupSet = 'cleanups' | 'stoppedCleanups' | 'failedCleanups';

/** Tasks that one page reads at most while it looks for others. */
const MAX_SCANNED = 5_000;
const AT_ONCE = 200;

/** A page of the hooks that are listed by a time, with that time (ms), the first ones first. */
export async function pageOfHooks(
  redis: Redis,
  order: HookOrder,
  { offset, limit }: PageOf,
): Promise<{ found: { task: Task; at: number }[]; total: number }> {
  const { members, total } = await readPage(redis, KEYS[order], { offset, limit });
  const tasks = await createTaskStore({ redis }).readSome([...members.keys()]);
  const byUuid = new Map(tasks.map((task) => [task.uuid, task]));
  const found = [...members].flatMap(([uuid, at]) => {
    const task = byUuid.get(uuid);
    return task ? [{ task, at }] : [];
  });
  return { found, total };
}

/** A page of the cleanups of one set, the first ones first. */
export async function pageOfCleanups(
  redis: Redis,
  set: CleanupSet,
  page: PageOf,
): Promise<{ found: Cleanup[]; total: number }> {
  const { members, total } = await readPage(redis, KEYS[set], page);
  return { found: await readCleanups(redis, [...members.keys()]), total };
}

/**
 * Looks through some tasks.
 *
 * @param cursor where the page before ended; `0` at first
 * @returns the wanted ones: `limit`, or some more; `next` is `0` after the last task
 */
export async function scanTasks(
  redis: Redis,
  of: { cursor: string; limit: number; isWanted: (task: Task) => boolean },
): Promise<{ found: Task[]; next: string }> {
  const tasks = createTaskStore({ redis });
  const found: Task[] = [];
  let { cursor } = of;
  let scanned = 0;
  do {
    const [next, uuids] = await redis.sscan(KEYS.tasks, cursor, 'COUNT', AT_ONCE);
    cursor = next;
    scanned += AT_ONCE;
    found.push(...(await tasks.readSome(uuids)).filter(of.isWanted));
  } while (cursor !== '0' && found.length < of.limit && scanned < MAX_SCANNED);
  return { found, next: cursor };
}

/** Members of a sorted set with their scores, and the number of all. */
async function readPage(
  redis: Redis,
  key: string,
  { offset, limit }: PageOf,
): Promise<{ members: Map<string, number>; total: number }> {
  const asking = redis.pipeline().zcard(key);
  asking.zrange(key, String(offset), String(offset + limit - 1), 'WITHSCORES');
  const [total, flat] = (await repliesOf(asking)) as [number, string[]];
  return { members: scoresOf(flat), total };
}
