import {
  type ExecutionState,
  NEW_STATE,
  scheduledTask,
  timestampOfId,
  timestampOfMs,
  toTaskExecution,
} from '@cds/hooks-store';
import type { Task, TaskExecution } from '@cds/wire';
import type { HandleTasks } from './task-handlers';

/** CDS's routes show the next run of a scheduler or poller as an execution. */
export function createNextExecution(handleTasks: Pick<HandleTasks, 'nextRun' | 'leaveOut'>) {
  return {
    /** Undefined for a task that is not due. A poll has the error of the one before. */
    async find(task: Task): Promise<TaskExecution | undefined> {
      const next = await handleTasks.nextRun(task);
      if (next === undefined) return undefined;
      const { uuid, type, config } = task;
      const { due, error } = next;
      const execution = {
        timestamp: timestampOfMs(due),
        type,
        config,
        scheduled_task: scheduledTask(due),
        accepted_at: due,
      };
      const state = { ...NEW_STATE, status: 'SCHEDULED' as const, last_error: error };
      return toTaskExecution(uuid, execution, state);
    },

    /** @returns false when the execution of this id is not the next one */
    async leaveOut(task: Task, id: string, ended: Partial<ExecutionState>): Promise<boolean> {
      const due = (await handleTasks.nextRun(task))?.due;
      if (due === undefined || timestampOfId(id) !== timestampOfMs(due)) return false;
      return handleTasks.leaveOut(task, due, { ...NEW_STATE, ...ended });
    },
  };
}
