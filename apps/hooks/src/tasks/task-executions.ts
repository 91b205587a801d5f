import {
  type Cleanup,
  cleanupExecution,
  cleanupTask,
  type ExecutionState,
  idOfTimestamp,
  isTaskUuid,
  NEW_STATE,
  scheduledTask,
  timestampOfId,
  timestampOfMs,
  toTaskExecution,
} from '@cds/hooks-store';
import { CdsError, type Task, type TaskExecution } from '@cds/wire';
import type { Resources } from '../resources';
import type { HandleTasks } from './task-handlers';
import type { ExecutionRef } from './task-params';

/** The executions of hooks and cleanups. CDS shows the next run of a hook as one of them. */
export function createTaskExecutions(
  resources: Pick<Resources, 'config' | 'stores' | 'queues' | 'now'>,
  deps: {
    handleTasks: HandleTasks;
    cleanupOf: (uuid: string) => Promise<Cleanup | undefined>;
    /** @throws CdsError 404 */
    taskOf: (uuid: string) => Promise<Task>;
    removeWithPending: (
      task: Task,
      remove: (lastSeen: string) => Promise<'ok' | 'more'>,
    ) => Promise<unknown>;
  },
) {
  const { config, stores, queues, now } = resources;
  const { tasks, executions, cleanups } = stores;
  const { handleTasks, cleanupOf, taskOf, removeWithPending } = deps;

  /** Undefined for a task that is not due. A poll has the error of the one before. */
  async function nextExecution(task: Task): Promise<TaskExecution | undefined> {
    const next = await handleTasks.nextRun(task);
    if (next === undefined) return undefined;
    const { uuid, type, config } = task;
    const { due, error } = next;
    return toTaskExecution(
      uuid,
      {
        ...{ timestamp: timestampOfMs(due), type, config, accepted_at: due },
        scheduled_task: scheduledTask(due),
      },
      { ...NEW_STATE, status: 'SCHEDULED', last_error: error },
    );
  }

  /** @returns false where the task has no execution of this id */
  async function stop(task: Task, id: string, marks: Partial<ExecutionState>): Promise<boolean> {
    const processed = timestampOfMs(now());
    const state = { ...marks, status: 'DONE' as const, processing_timestamp: processed };
    await handleTasks.beforeRemoval(task, id);
    if (await executions.stop(task.uuid, id, state)) return true;
    const due = (await handleTasks.nextRun(task))?.due;
    if (due === undefined || timestampOfId(id) !== timestampOfMs(due)) return false;
    return handleTasks.leaveOut(task, due, { ...NEW_STATE, ...state });
  }

  return {
    /** The task with its executions, newest first. @throws CdsError 404 */
    async taskWithExecutions(uuid: string): Promise<Task> {
      const cleanup = await cleanupOf(uuid);
      if (cleanup) return cleanupTask(cleanup);
      const task = await taskOf(uuid);
      const [next, others] = await Promise.all([nextExecution(task), executions.list(uuid)]);
      return { ...task, executions: next ? [next, ...others] : others };
    },

    /** @throws CdsError 404 */
    async execution({ uuid, timestamp }: ExecutionRef): Promise<TaskExecution> {
      const id = idOfTimestamp(timestamp);
      const cleanup = await cleanupOf(uuid);
      if (cleanup && cleanup.accepted === id) return cleanupExecution(cleanup);
      const execution = id && isTaskUuid(uuid) ? await executions.find(uuid, id) : undefined;
      if (execution) return execution;
      const next = id ? await nextExecution(await taskOf(uuid)) : undefined;
      if (next && id && next.timestamp === timestampOfId(id)) return next;
      throw unknownExecution();
    },

    /** Ends a pending or next execution; an ended one stays. @throws CdsError 404 */
    async stopExecution({ uuid, timestamp }: ExecutionRef): Promise<void> {
      const id = idOfTimestamp(timestamp);
      const [nbErrors, error] = [config.retryError + 1, 'DONE'];
      const cleanup = await cleanupOf(uuid);
      if (cleanup && cleanup.accepted === id) {
        if (cleanup.status === 'failed') return;
        const ended = { nbErrors, error, outages: 0, refused: true, ended: true, now: now() };
        await cleanups.fail(cleanup, ended);
        return;
      }
      const task = id && isTaskUuid(uuid) ? await tasks.read(uuid) : undefined;
      if (!task || !id || !(await stop(task, id, { nb_errors: nbErrors, last_error: error })))
        throw unknownExecution();
      await queues.resume(uuid);
    },

    /** Also removes pending executions. @throws CdsError 404 */
    async removeExecutions(uuid: string): Promise<Task> {
      const cleanup = await cleanupOf(uuid);
      if (cleanup) {
        await cleanups.remove(uuid);
        return {
          ...cleanupTask(cleanup),
          executions: null,
          nb_executions_total: 0,
          nb_executions_todo: 0,
        };
      }
      const task = await taskOf(uuid);
      await removeWithPending(task, (lastSeen) => executions.removeAll(uuid, lastSeen));
      // The next execution does not wait for the pause of a removed one.
      await queues.resume(uuid);
      return task;
    },
  };
}

function unknownExecution(): CdsError {
  return new CdsError('notFound', { from: 'the task has no execution of this timestamp' });
}
