import type { Task } from '@cds/wire';
import type { Redis } from 'ioredis';
import { KEYS } from '../redis-keys';
import { createTaskStore } from '../tasks/task-store';

const AT_ONCE = 200;

export interface TaskList {
  found: Task[];
  total: number;
  /** Tasks that cannot be read. */
  unreadable: string[];
}

/** Tasks in no order. Scans the set of all some at a time, and no further than needed. */
export async function listTasks(
  redis: Redis,
  limit: number,
  isWanted: (task: Task) => boolean = () => true,
): Promise<TaskList> {
  const unreadable = new Set<string>();
  const tasks = createTaskStore({ redis, unreadable: (uuid) => unreadable.add(uuid) });
  const found = new Map<string, Task>();
  let cursor = '0';
  do {
    const [next, uuids] = await redis.sscan(KEYS.tasks, cursor, 'COUNT', AT_ONCE);
    cursor = next;
    for (const task of await tasks.readSome(uuids))
      if (found.size < limit && isWanted(task)) found.set(task.uuid, task);
  } while (cursor !== '0' && found.size < limit);
  return {
    found: [...found.values()],
    total: await redis.scard(KEYS.tasks),
    unreadable: [...unreadable],
  };
}

/** Tasks of a repository (`workspace/slug`, whose case does not count), by their uuids. */
export async function tasksOfRepository(
  redis: Redis,
  repository: string,
  limit: number,
  signal?: AbortSignal,
): Promise<TaskList> {
  const wanted = repository.toLowerCase();
  const list = await listTasks(redis, limit, ({ config }) => {
    signal?.throwIfAborted();
    return (config?.['repoFullName']?.value ?? '').toLowerCase() === wanted;
  });
  list.found.sort((a, b) => (a.uuid < b.uuid ? -1 : 1));
  return list;
}
