import type { HookConfig, TaskType } from '@cds/wire';

/** A task as it was when something happened to it. */
export interface ListenedTask {
  uuid: string;
  type: TaskType;
  config: HookConfig | null;
}

/** What a kind does when something happens to its tasks. Called after it is in Redis; each is safe to repeat. */
export interface TaskListener {
  /** It was kept, new or changed, by a route or by the synchronization; it may be stopped. */
  kept?(task: ListenedTask): Promise<void>;
  started?(task: ListenedTask): Promise<void>;
  stopped?(task: ListenedTask): Promise<void>;
  removed?(task: ListenedTask): Promise<void>;
}

export type TaskListeners = Partial<Record<TaskType, TaskListener>>;

/** Tells the kind of a task, if it listens. */
export async function tell(
  listeners: TaskListeners,
  event: keyof TaskListener,
  task: ListenedTask,
): Promise<void> {
  await listeners[task.type]?.[event]?.(task);
}
