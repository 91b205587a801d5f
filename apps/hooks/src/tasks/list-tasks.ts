import {
  type CleanupStore,
  cleanupTask,
  isCleanupId,
  sortGently,
  type TaskStore,
} from '@cds/hooks-store';
import type { Task } from '@cds/wire';
import { type TaskCounts, taskOrder, type TaskSort } from './sort-tasks';

const CHUNK = 100;

/** Lists all tasks with their counts in chunks: hooks first, then cleanups, unless sorted. */
export function createListTasks({
  tasks,
  cleanups,
}: {
  tasks: Pick<TaskStore, 'sortedUuids' | 'readSome'>;
  cleanups: Pick<CleanupStore, 'ids' | 'readAll'>;
}) {
  async function* read(ids: string[]): AsyncGenerator<Task[]> {
    for (let i = 0; i < ids.length; i += CHUNK) {
      const some = ids.slice(i, i + CHUNK);
      const [ofHooks, ofCleanups] = await Promise.all([
        tasks.readSome(some.filter((id) => !isCleanupId(id))),
        cleanups.readAll(some.filter(isCleanupId)),
      ]);
      yield [...ofHooks, ...ofCleanups.map(cleanupTask)];
    }
  }

  return async function* listTasks(sorts: TaskSort[]): AsyncGenerator<Task[]> {
    const ids = [...(await tasks.sortedUuids()), ...(await cleanups.ids())];
    if (sorts.length === 0) {
      yield* read(ids);
      return;
    }
    const counts: TaskCounts[] = [];
    for await (const some of read(ids)) {
      for (const { uuid, nb_executions_total, nb_executions_todo } of some)
        counts.push({ uuid, nb_executions_total, nb_executions_todo });
    }
    const sorted = await sortGently(counts, taskOrder(sorts));
    for (let i = 0; i < sorted.length; i += CHUNK) {
      const some = sorted.slice(i, i + CHUNK);
      const found = new Map<string, Task>();
      for await (const part of read(some.map(({ uuid }) => uuid)))
        for (const task of part) found.set(task.uuid, task);
      // The counts that they are sorted by, since newer ones may contradict the order.
      yield some.flatMap((count) => {
        const task = found.get(count.uuid);
        return task ? [{ ...task, ...count }] : [];
      });
    }
  };
}
