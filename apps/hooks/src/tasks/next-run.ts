import {
  type ExecutionState,
  NEW_STATE,
  timestampOfId,
  timestampOfMs,
  scheduledTask,
  toTaskExecution,
  type PollStore,
  type ScheduleStore,
} from '@cds/hooks-store';
import type { Task, TaskExecution } from '@cds/wire';
import { scheduleOf, scheduleText } from '../modules/scheduler/scheduled-times';

export type Upcoming = ReturnType<typeof createUpcoming>;

/** The next time of a scheduler and the next poll of a hook, which CDS's routes show as an execution of its task. */
export function createUpcoming(deps: { store: ScheduleStore; polls: PollStore }) {
  const { store, polls } = deps;

  async function nextOf({ uuid, type }: Task): Promise<{ due: number; error: string } | undefined> {
    if (type === 'RepoPoller' || type === 'RepoWebHook') return polls.next(uuid);
    const due = type === 'Scheduler' ? await store.dueAt(uuid) : undefined;
    return due === undefined ? undefined : { due, error: '' };
  }

  return {
    /** None for a task that is not due. A poll shows why the one before brought nothing. */
    async find(task: Task): Promise<TaskExecution | undefined> {
      const next = await nextOf(task);
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

    /** Leaves the next time out. @returns false when the execution of this id is not the next one */
    async leaveOut(task: Task, id: string, ended: Partial<ExecutionState>): Promise<boolean> {
      const due = (await nextOf(task))?.due;
      if (due === undefined || timestampOfId(id) !== timestampOfMs(due)) return false;
      const { uuid, config } = task;
      if (task.type !== 'Scheduler') return polls.leaveOut({ uuid, due });
      const scheduler = {
        uuid,
        due,
        config: JSON.stringify(config),
        schedule: scheduleText(config),
      };
      const next = scheduleOf(config).next(due);
      const state = { ...NEW_STATE, ...ended };
      return (await store.take(scheduler, { time: due, next, late: false }, state)) === 'taken';
    },
  };
}
