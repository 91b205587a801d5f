import type { ExecutionState } from '@cds/hooks-store';
import type { HookConfig, Task, TaskType } from '@cds/wire';

/** A task as it was when something happened to it. */
export interface HandledTask {
  uuid: string;
  type: TaskType;
  config: HookConfig | null;
}

/** When a task runs by itself next. */
export interface NextRun {
  /** Milliseconds. */
  due: number;
  /** Why the run before brought nothing, or "". */
  error: string;
}

/**
 * What a module does about the tasks of a type. Events come after the task is in Redis; each
 * handler is safe to repeat.
 */
export interface TaskHandler {
  /** A route or the synchronization stored it, new or changed; it may be stopped. */
  stored?(task: HandledTask): Promise<void>;
  started?(task: HandledTask): Promise<void>;
  stopped?(task: HandledTask): Promise<void>;
  removed?(task: HandledTask): Promise<void>;
  /** Asked before a task starts. @throws CdsError 501 with the reason why it cannot */
  checkStart?(task: HandledTask): Promise<void>;
  nextRun?(task: HandledTask): Promise<NextRun | undefined>;
  /** Leaves out the run that is due at `due` (ms). @returns false when that is not the next one */
  leaveOut?(task: HandledTask, due: number, ended: ExecutionState): Promise<boolean>;
  /**
   * Called before deliveries that wait are removed: all, or the one with the id `only`.
   * @returns id of the last delivery that waits, or ""
   */
  beforeRemoval?(task: Task, only?: string): Promise<string>;
}

export type TaskHandlers = Partial<Record<TaskType, TaskHandler>>;
