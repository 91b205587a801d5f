import type { TaskType } from '@cds/wire';

const SERVED: readonly TaskType[] = ['RepoWebHook', 'Webhook', 'BranchDeletion'];

/** Whether tasks of this type do something yet. */
export function isServed(type: string): boolean {
  return SERVED.some((served) => served === type);
}
