import type { PollStore } from '@cds/hooks-store';
import type { TaskHandler } from '../task-handler';

/**
 * Keeps which hooks are polled in line with their tasks. Whatever happened, Redis decides by the
 * task as it is now: another replica may have changed it since, and does the same.
 */
export function createPollTaskHandler({ store }: { store: PollStore }): TaskHandler {
  return {
    stored: ({ uuid }) => store.align(uuid),
    started: ({ uuid, type }) => store.align(uuid, type === 'RepoPoller'),
    stopped: ({ uuid }) => store.align(uuid),
    removed: ({ uuid }) => store.align(uuid),
    nextRun: ({ uuid }) => store.next(uuid),
    leaveOut: ({ uuid }, due) => store.leaveOut({ uuid, due }),
  };
}
