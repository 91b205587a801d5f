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

/** The next run of a task that runs by itself, as CDS's routes show it: an execution of the task. */
export function createNextExecution(handleTasks: Pick<HandleTasks, 'nextRun' | 'leaveOut'>) {
  return {
    /** None for a task that is not due. A poll shows why the one before brought nothing. */
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

    /** Leaves it out. @returns false when the execution of this id is not the next one */
    async leaveOut(task: Task, id: string, ended: Partial<ExecutionState>): Promise<boolean> {
      const due = (await handleTasks.nextRun(task))?.due;
      if (due === undefined || timestampOfId(id) !== timestampOfMs(due)) return false;
      return handleTasks.leaveOut(task, due, { ...NEW_STATE, ...ended });
    },
  };
}
