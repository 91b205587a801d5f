import {
  type ExecutionState,
  NEW_STATE,
  timestampOfId,
  timestampOfMs,
  toTaskExecution,
} from '@cds/hooks-store';
import type { Task, TaskExecution } from '@cds/wire';
import { scheduledTask, scheduleOf, scheduleText } from './scheduled-times';
import type { ScheduleStore } from './schedule-store';

export type Upcoming = ReturnType<typeof createUpcoming>;

/** The next time of a scheduler, which CDS's routes show as an execution of its task. */
export function createUpcoming(deps: { store: ScheduleStore }) {
  const { store } = deps;

  async function dueOf({ uuid, type }: Task): Promise<number | undefined> {
    return type === 'Scheduler' ? store.dueAt(uuid) : undefined;
  }

  return {
    /** None for a task that is not due. */
    async find(task: Task): Promise<TaskExecution | undefined> {
      const due = await dueOf(task);
      if (due === undefined) return undefined;
      const { uuid, type, config } = task;
      const execution = {
        timestamp: timestampOfMs(due),
        type,
        config,
        scheduled_task: scheduledTask(due),
        accepted_at: due,
      };
      return toTaskExecution(uuid, execution, { ...NEW_STATE, status: 'SCHEDULED' });
    },

    /** Leaves the next time out. @returns false when the execution of this id is not the next one */
    async leaveOut(task: Task, id: string, ended: Partial<ExecutionState>): Promise<boolean> {
      const due = await dueOf(task);
      if (due === undefined || timestampOfId(id) !== timestampOfMs(due)) return false;
      const scheduler = {
        uuid: task.uuid,
        due,
        config: JSON.stringify(task.config),
        schedule: scheduleText(task.config),
      };
      const next = scheduleOf(task.config).next(due);
      const state = { ...NEW_STATE, ...ended };
      return (await store.take(scheduler, { time: due, next, late: false }, state)) === 'taken';
    },
  };
}
