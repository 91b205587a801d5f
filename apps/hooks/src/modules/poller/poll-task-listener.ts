import type { TaskListener } from '../task-listener';
import type { PollStore } from '@cds/hooks-store';

/**
 * Keeps in line which hooks are polled with what happens to their tasks. Whatever happened, Redis decides by the task as it is
 * now: another replica may have changed it since, and does the same.
 */
export function createPollTasks(deps: { store: PollStore }): TaskListener {
  const { store } = deps;
  return {
    kept: ({ uuid }) => store.align(uuid),
    started: ({ uuid, type }) => store.align(uuid, type === 'RepoPoller'),
    stopped: ({ uuid }) => store.align(uuid),
    removed: ({ uuid }) => store.align(uuid),
  };
}
