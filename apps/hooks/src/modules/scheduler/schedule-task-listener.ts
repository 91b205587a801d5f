import { isCdsError } from '@cds/wire';
import type { ListenedTask, TaskListener } from '../task-listener';
import { scheduleOf, scheduleText } from './scheduled-times';
import type { ScheduleStore } from '@cds/hooks-store';

/**
 * Keeps in line when schedulers are due with what happens to their tasks. Whatever happened, Redis decides by the task as it is
 * now: another replica may have changed it since, and does the same.
 */
export function createScheduleTasks(deps: { store: ScheduleStore }): TaskListener {
  const { store } = deps;

  async function align({ uuid, config }: ListenedTask): Promise<void> {
    const next = nextTime(config, await store.now());
    const scheduler = { uuid, config: JSON.stringify(config), schedule: scheduleText(config) };
    await store.makeDue(scheduler, next);
  }

  return { kept: align, started: align, stopped: align, removed: align };
}

/** None for what an older version kept without reading it: it is refused when it is started. */
function nextTime(config: ListenedTask['config'], now: number): number | undefined {
  try {
    return scheduleOf(config).next(now);
  } catch (error) {
    if (isCdsError(error)) return undefined;
    throw error;
  }
}
