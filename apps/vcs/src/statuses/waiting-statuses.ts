import { LRUCache } from 'lru-cache';

const MAX_CREDENTIALS = 1_000;

/**
 * Unfinished statuses of VCS projects whose token this process does not know, since nothing stores
 * it. The next call of the API for such a project brings it.
 */
export interface WaitingStatuses {
  add(grant: string, id: string): void;
  /** The ids that waited for this credential; they wait no more. */
  take(grant: string): string[];
}

export function createWaitingStatuses(): WaitingStatuses {
  const byGrant = new LRUCache<string, Set<string>>({ max: MAX_CREDENTIALS });
  return {
    add(grant, id) {
      byGrant.set(grant, (byGrant.get(grant) ?? new Set()).add(id));
    },
    take(grant) {
      const ids = byGrant.get(grant) ?? [];
      byGrant.delete(grant);
      return [...ids];
    },
  };
}
