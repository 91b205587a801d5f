import type { ExecutionState } from '@cds/hooks-store';
import type { HookConfig, Task, TaskType } from '@cds/wire';

/** A task at the time of an event. */
export interface HandledTask {
  uuid: string;
  type: TaskType;
  config: HookConfig | null;
}

/** The next due time of a task. */
export interface NextRun {
  /** Milliseconds. */
  due: number;
  /** Why the one before failed, or "". */
  error: string;
}

/** The events of a type's tasks. They come after Redis has the task, and may be repeated. */
export interface TaskHandler {
  /** Stored by a route or the synchronization, new or changed. The task may be stopped. */
  stored?(task: HandledTask): Promise<void>;
  started?(task: HandledTask): Promise<void>;
  stopped?(task: HandledTask): Promise<void>;
  removed?(task: HandledTask): Promise<void>;
  /** Called before a task starts. @throws CdsError 501 with the reason why it cannot */
  checkStart?(task: HandledTask): Promise<void>;
  nextRun?(task: HandledTask): Promise<NextRun | undefined>;
  /** Skips the run that is due at `due` (ms). @returns false when that is not the next one */
  leaveOut?(task: HandledTask, due: number, ended: ExecutionState): Promise<boolean>;
  /**
   * Called before pending executions are removed: all, or the one with the id `only`.
   * @returns the id of the last pending execution, or ""
   */
  beforeRemoval?(task: Task, only?: string): Promise<string>;
}

export type TaskHandlers = Partial<Record<TaskType, TaskHandler>>;
