import type { PollStore } from '@cds/hooks-store';
import type { TaskHandler } from '../task-handler';

/**
 * Aligns the polled hooks with their tasks. Redis decides by the task as it is now, since another
 * replica may have changed it.
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
