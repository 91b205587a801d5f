import { CdsError, type Task } from '@cds/wire';

type SortKey = 'nb_executions_total' | 'nb_executions_todo';

export interface TaskSort {
  key: SortKey;
  descending: boolean;
}

function isSortKey(key: string): key is SortKey {
  return key === 'nb_executions_total' || key === 'nb_executions_todo';
}

/**
 * Reads `sort=key[:asc|desc][,…]`.
 *
 * @throws CdsError 400 for anything else
 */
export function parseTaskSort(sort: unknown): TaskSort[] {
  const first: unknown = Array.isArray(sort) ? sort[0] : sort;
  if (first === undefined || first === '') return [];
  return String(first)
    .split(',')
    .map((part) => {
      const [key = '', order = 'asc', ...rest] = part.trim().split(':');
      if (!isSortKey(key)) throw new CdsError('wrongRequest', { from: 'invalid given sort key' });
      if ((order !== 'asc' && order !== 'desc') || rest.length > 0) {
        throw new CdsError('wrongRequest', { from: 'invalid given sort order: asc or desc' });
      }
      return { key, descending: order === 'desc' };
    });
}

/** The tasks in that order; the first key counts most, equal ones keep their places. */
export function sortTasks(tasks: Task[], sorts: TaskSort[]): Task[] {
  return tasks.toSorted((a, b) => {
    for (const { key, descending } of sorts) {
      const difference = a[key] - b[key];
      if (difference !== 0) return descending ? -difference : difference;
    }
    return 0;
  });
}
