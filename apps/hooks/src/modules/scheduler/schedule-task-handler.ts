import type { ScheduleStore } from '@cds/hooks-store';
import { isCdsError } from '@cds/wire';
import type { HandledTask, TaskHandler } from '../task-handler';
import { scheduleOf, scheduleText } from './scheduled-times';

/**
 * Aligns the due times of schedulers with their tasks. Redis decides by the task as it is now,
 * since another replica may have changed it.
 */
export function createScheduleTaskHandler(store: ScheduleStore): TaskHandler {
  const scheduled = ({ uuid, config }: HandledTask) => ({
    uuid,
    config: JSON.stringify(config),
    schedule: scheduleText(config),
  });

  async function align(task: HandledTask): Promise<void> {
    await store.makeDue(scheduled(task), nextTime(task.config, await store.now()));
  }

  return {
    stored: align,
    started: align,
    stopped: align,
    removed: align,

    async nextRun({ uuid }) {
      const due = await store.dueAt(uuid);
      return due === undefined ? undefined : { due, error: '' };
    },

    async leaveOut(task, due, ended) {
      const next = scheduleOf(task.config).next(due);
      const occurrence = { time: due, next, late: false };
      return (await store.take({ ...scheduled(task), due }, occurrence, ended)) === 'taken';
    },
  };
}

/** Undefined for an invalid task of an older version, which is refused when it is started. */
function nextTime(config: HandledTask['config'], now: number): number | undefined {
  try {
    return scheduleOf(config).next(now);
  } catch (error) {
    if (isCdsError(error)) return undefined;
    throw error;
  }
}
