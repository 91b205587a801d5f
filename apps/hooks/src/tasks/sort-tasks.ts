import { firstOf } from '@cds/service';
import { CdsError, type Task } from '@cds/wire';
import * as z from 'zod';

const SORT_KEYS = ['nb_executions_total', 'nb_executions_todo'] as const;
type SortKey = (typeof SORT_KEYS)[number];

export type TaskCounts = Pick<Task, 'uuid' | SortKey>;

export interface TaskSort {
  key: SortKey;
  descending: boolean;
}

/** The first of several values counts. */
export const sortQuery = z.object({
  sort: firstOf(z.string().default('')).meta({
    description: `\`key[:asc|desc][,…]\`, ascending when not told; keys: ${SORT_KEYS.join(', ')}`,
    examples: ['nb_executions_todo:desc,nb_executions_total'],
  }),
});

/**
 * Reads `sort=key[:asc|desc][,…]`.
 *
 * @throws CdsError 400 for anything else
 */
export function parseTaskSort(sort: string): TaskSort[] {
  if (sort === '') return [];
  const sorts = sort.split(',').map((part): TaskSort => {
    const [name, order = 'asc', ...rest] = part.trim().split(':');
    const key = SORT_KEYS.find((known) => known === name);
    if (!key) throw new CdsError('wrongRequest', { from: 'invalid given sort key' });
    if ((order !== 'asc' && order !== 'desc') || rest.length > 0) {
      throw new CdsError('wrongRequest', { from: 'invalid given sort order: asc or desc' });
    }
    return { key, descending: order === 'desc' };
  });
  // A repeated key decides nothing, and thousands would take long.
  return SORT_KEYS.flatMap((key) => sorts.find((sort) => sort.key === key) ?? []).toSorted(
    (a, b) => sorts.indexOf(a) - sorts.indexOf(b),
  );
}

/** The first key counts most. */
export function taskOrder(sorts: TaskSort[]): (a: TaskCounts, b: TaskCounts) => number {
  return (a, b) => {
    for (const { key, descending } of sorts) {
      const difference = a[key] - b[key];
      if (difference !== 0) return descending ? -difference : difference;
    }
    return 0;
  };
}
