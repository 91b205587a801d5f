import type { ExecutionState } from '@cds/hooks-store';
import type { Logger } from '@cds/service';
import { CdsError, type Task } from '@cds/wire';
import { moduleOf } from '../hook-modules';
import type { HandledTask, NextRun, TaskHandler, TaskHandlers } from '../modules/task-handler';

type TaskEvent = 'stored' | 'started' | 'stopped' | 'removed';

export type HandleTasks = ReturnType<typeof createHandleTasks>;

/** Calls the task handlers of all modules, by the type of the task. */
export function createHandleTasks(modules: readonly { tasks?: TaskHandlers }[], logger: Logger) {
  const warned = new Set<string>();

  /** Undefined when the hook can run. */
  const unsupportedReason = (task: HandledTask): string | undefined =>
    moduleOf(task.type)?.unsupported?.(task);

  /** Warns once for each reason. */
  function warnUnsupported(task: HandledTask): void {
    const { type } = task;
    const reason = unsupportedReason(task);
    const key = `${type} ${reason}`;
    if (reason === undefined || warned.has(key)) return;
    warned.add(key);
    logger.warn({ type, reason }, 'hooks of an unsupported type are stored and not started');
  }

  const handlersOf = ({ type }: HandledTask): TaskHandler[] =>
    modules.flatMap(({ tasks }) => tasks?.[type] ?? []);

  async function firstOf<T>(
    task: HandledTask,
    ask: (handler: TaskHandler) => Promise<T> | undefined,
  ): Promise<T | undefined> {
    for (const handler of handlersOf(task)) {
      const answer = await ask(handler);
      if (answer !== undefined) return answer;
    }
    return undefined;
  }

  return {
    /** To be called after the change is in Redis. */
    async notify(event: TaskEvent, task: HandledTask): Promise<void> {
      for (const handler of handlersOf(task)) await handler[event]?.(task);
      if (event === 'stored') warnUnsupported(task);
    },

    /** @throws CdsError 501 when the task cannot start */
    async checkStart(task: HandledTask): Promise<void> {
      const reason = unsupportedReason(task);
      if (reason !== undefined)
        throw new CdsError('notImplemented', {
          from: `a task of type ${task.type} cannot be started: ${reason}`,
        });
      for (const handler of handlersOf(task)) await handler.checkStart?.(task);
    },

    /** Undefined for a task that is not due. */
    nextRun: (task: HandledTask): Promise<NextRun | undefined> =>
      firstOf(task, (handler) => handler.nextRun?.(task)),

    /** @returns false where the run that is due at `due` (ms) is not the next one */
    leaveOut: async (task: HandledTask, due: number, ended: ExecutionState): Promise<boolean> =>
      (await firstOf(task, (handler) => handler.leaveOut?.(task, due, ended))) ?? false,

    /** Before pending deliveries are removed. @returns id of the last one, or "" */
    beforeRemoval: async (task: Task, only?: string): Promise<string> =>
      (await firstOf(task, (handler) => handler.beforeRemoval?.(task, only))) ?? '',
  };
}
