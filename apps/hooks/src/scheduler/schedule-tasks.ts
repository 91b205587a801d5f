import type { ListenedTask, TaskListener } from '../kinds/task-listeners';
import { scheduleOf } from './scheduled-times';
import type { ScheduleStore } from './schedule-store';

/** Keeps in line when schedulers are due with what happens to their tasks. */
export function createScheduleTasks(deps: { store: ScheduleStore }): TaskListener {
  const { store } = deps;

  /** From now on, unless its time is known already. Another one who changes the task at this moment does it himself. */
  async function plan({ uuid, config }: ListenedTask): Promise<void> {
    await store.makeDue(uuid, config, scheduleOf(config).next(await store.now()));
  }

  async function cancel({ uuid }: ListenedTask): Promise<void> {
    await store.cancel(uuid);
  }

  return { kept: plan, started: plan, stopped: cancel, removed: cancel };
}
