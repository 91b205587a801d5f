import { CdsError, isCdsError, type Task } from '@cds/wire';
import {
  type Cleanup,
  cleanupTask,
  isCleanupId,
  isTaskUuid,
  type TaskToKeep,
} from '@cds/hooks-store';
import type { Resources } from '../resources';
import type { HandleTasks } from './task-handlers';
import { createTaskExecutions } from './task-executions';
import { createListTasks } from './list-tasks';
import { answeredHook, type ReceivedHook, taskOfHook } from './node-hook';

/** Concurrent commands. */
const AT_ONCE = 100;
/** Of a removal during which deliveries come in. */
const MAX_TRIES = 50;

async function inChunks<T>(items: T[], work: (item: T) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < items.length; i += AT_ONCE) {
    await Promise.all(items.slice(i, i + AT_ONCE).map(work));
  }
}

function unknownTask(uuid: string): CdsError {
  return new CdsError('notFound', {
    from: `no task has the uuid ${JSON.stringify(uuid.slice(0, 128))}`,
  });
}

export type TaskService = ReturnType<typeof createTaskService>;

/** Tasks are those of hooks, and cleanups. */
export function createTaskService(
  resources: Pick<Resources, 'config' | 'stores' | 'queues' | 'now'>,
  handleTasks: HandleTasks,
) {
  const { config, stores, queues, now } = resources;
  const { tasks, cleanups } = stores;

  async function cleanupOf(uuid: string): Promise<Cleanup | undefined> {
    return isCleanupId(uuid) ? cleanups.read(uuid) : undefined;
  }

  /** @throws CdsError 404 */
  async function taskOf(uuid: string): Promise<Task> {
    const task = isTaskUuid(uuid) ? await tasks.read(uuid) : undefined;
    if (!task) throw unknownTask(uuid);
    // CDS answers one task without counts.
    return { ...task, nb_executions_total: 0, nb_executions_todo: 0 };
  }

  async function store(task: TaskToKeep): Promise<void> {
    await tasks.put(task, now());
    await handleTasks.notify('stored', task);
  }

  /**
   * @returns false for an unknown task
   * @throws CdsError 501 when the task cannot start
   */
  async function setStopped(uuid: string, stopped: boolean): Promise<boolean> {
    if (isCleanupId(uuid)) {
      const due = await cleanups.setStopped(uuid, stopped, now());
      if (due === undefined) return false;
      if (!stopped && !config.disable) await resumeCleanup(uuid, due);
      return true;
    }
    const task = isTaskUuid(uuid) ? await tasks.read(uuid) : undefined;
    if (!task) return false;
    if (!stopped) await handleTasks.checkStart(task);
    const waiting = await tasks.setStopped(uuid, stopped);
    if (waiting === undefined) return false;
    await handleTasks.notify(stopped ? 'stopped' : 'started', task);
    if (!stopped && waiting > 0) await queues.resume(uuid);
    return true;
  }

  async function removeOne(uuid: string): Promise<boolean> {
    if (isCleanupId(uuid)) return (await cleanups.remove(uuid)) === 'ok';
    if (!isTaskUuid(uuid)) return false;
    const task = await tasks.read(uuid);
    // A task without a readable type is removed, too.
    if (!task) return (await tasks.remove(uuid)) === 'ok';
    const removed = await removeWithPending(task, (lastSeen) =>
      tasks.remove(uuid, undefined, lastSeen),
    );
    if (removed !== 'ok') return false;
    await handleTasks.notify('removed', task);
    // Its job ends, so that a hook created anew does not inherit a pause.
    await queues.resume(uuid);
    return true;
  }

  /** @throws CdsError 503 when deliveries come in faster than they can be read */
  async function removeWithPending<T extends string>(
    task: Task,
    remove: (lastSeen: string) => Promise<T | 'more'>,
  ): Promise<T> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const removed = await remove(await handleTasks.beforeRemoval(task));
      if (removed !== 'more') return removed;
    }
    throw new CdsError('unavailable', {
      from: 'deliveries come in faster than they can be removed: stop the task, or try again',
    });
  }

  async function resumeCleanup(id: string, due: number): Promise<void> {
    await (due > now() ? queues.cleanups.enqueue(id, due - now()) : queues.cleanups.enqueueNow(id));
  }

  return {
    /** Stores all hooks, or none if one is of an unknown type. */
    async putHooks(hooks: Record<string, ReceivedHook>): Promise<Record<string, ReceivedHook>> {
      const received = Object.entries(hooks).map(([key, hook]) => {
        if (key !== hook.uuid) {
          throw new CdsError('wrongRequest', { from: `the hook under ${key} has another uuid` });
        }
        return { hook, task: taskOfHook(hook, config.urlPublic) };
      });
      await inChunks(received, ({ task }) => store(task));
      return Object.fromEntries(
        received.map(({ hook, task }) => [hook.uuid, answeredHook(hook, task)]),
      );
    },

    /** Changes a task and starts it, as CDS 0.41 does. */
    async replaceTask(uuid: string, hook: ReceivedHook | undefined): Promise<void> {
      if (hook && hook.uuid !== uuid) {
        throw new CdsError('wrongRequest', { from: 'the hook in the body has another uuid' });
      }
      await taskOf(uuid);
      if (hook) await store(taskOfHook(hook, config.urlPublic));
      await setStopped(uuid, false);
    },

    /** Unknown tasks are no error, so that the call can be repeated. */
    async removeTasks(uuids: string[]): Promise<void> {
      await inChunks(uuids, removeOne);
    },

    /** @throws CdsError 404 */
    async removeTask(uuid: string): Promise<void> {
      if (!(await removeOne(uuid))) throw unknownTask(uuid);
    },

    /** @throws CdsError 404, and 501 when the task cannot start */
    async setStopped(uuid: string, stopped: boolean): Promise<void> {
      if (!(await setStopped(uuid, stopped))) throw unknownTask(uuid);
    },

    async setAllStopped(stopped: boolean): Promise<void> {
      // Starting all tasks does not retry failed cleanups.
      const [uuids, ids] = await Promise.all([
        tasks.uuids(),
        stopped ? cleanups.ids() : cleanups.stoppedIds(),
      ]);
      await inChunks([...uuids, ...ids], async (uuid) => {
        try {
          await setStopped(uuid, stopped);
        } catch (error) {
          // The others start all the same.
          if (!isCdsError(error) || error.kind !== 'notImplemented') throw error;
        }
      });
    },

    /** @throws CdsError 404 */
    async task(uuid: string): Promise<Task> {
      const cleanup = await cleanupOf(uuid);
      return cleanup ? cleanupTask(cleanup) : taskOf(uuid);
    },

    listTasks: createListTasks({ tasks, cleanups }),

    ...createTaskExecutions(resources, { handleTasks, cleanupOf, taskOf, removeWithPending }),
  };
}
