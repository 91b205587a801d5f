import { defineScript } from '@cds/redis';
import type { HookConfig, Task, TaskType } from '@cds/wire';
import type { Redis } from 'ioredis';
import { repliesOf } from '../dead-letters/dead-letter';
import { hookKeys, KEYS, workflowHooksKey } from '../redis-keys';
import { byCodeUnits, sortGently } from '../sort-gently';
import { DELETE_TASK, PUT_TASK, SET_STOPPED } from './task-scripts.lua';

/** Tasks read or written in one go. */
const CHUNK = 200;

/** A task as it is kept. */
export interface TaskToKeep {
  uuid: string;
  type: TaskType;
  /** Of the requests that its webhook takes; empty for hooks that take none. */
  method: string;
  config: HookConfig | null;
}

export type TaskStore = ReturnType<typeof createTaskStore>;

/** Where a task is listed by its workflow; plain webhooks know nothing of branches. */
function indexOf({ type, config }: TaskToKeep): string {
  const project = config?.project?.value;
  const workflow = config?.workflow?.value;
  return type === 'RepoWebHook' && project && workflow ? workflowHooksKey(project, workflow) : '';
}

/** The tasks of hooks in Redis. */
export function createTaskStore(deps: { redis: Redis }) {
  const { redis } = deps;
  const putScript = defineScript(redis, 'cdsbbPutTask', PUT_TASK, 3);
  const deleteScript = defineScript(redis, 'cdsbbDeleteTask', DELETE_TASK, 18);
  const stopScript = defineScript(redis, 'cdsbbSetStopped', SET_STOPPED, 6);

  async function readChunk(uuids: string[]): Promise<Task[]> {
    const pipeline = redis.pipeline();
    for (const uuid of uuids) {
      const keys = hookKeys(uuid);
      pipeline.hmget(keys.task, 'type', 'config', 'stopped');
      pipeline.zcard(keys.done);
      pipeline.llen(keys.waiting);
      pipeline.zcard(keys.dead);
      pipeline.zscore(KEYS.due, uuid);
      pipeline.zscore(KEYS.polls, uuid);
    }
    const replies = await repliesOf(pipeline);
    return uuids.flatMap((uuid, index) => {
      const [task, done, waiting, dead, due, poll] = replies.slice(6 * index);
      const [type, config, stopped] = task as (string | null)[];
      if (!type) return [];
      // The next time of a scheduler is an execution, too, and so is the next poll.
      const todo = Number(waiting) + (due === null ? 0 : 1) + (poll === null ? 0 : 1);
      return [
        {
          uuid,
          type: type as TaskType,
          config: JSON.parse(config ?? 'null') as HookConfig | null,
          stopped: stopped === '1',
          executions: null,
          nb_executions_total: Number(done) + Number(dead) + todo,
          nb_executions_todo: todo,
        },
      ];
    });
  }

  return {
    /**
     * Keeps a task, new or changed; it stays stopped if it was.
     * @param unlessNewerThan leaves a task that was changed later (ms)
     */
    async put(task: TaskToKeep, now: number, unlessNewerThan?: number): Promise<'ok' | 'newer'> {
      return (await putScript(
        [hookKeys(task.uuid).task, KEYS.tasks, KEYS.kinds],
        [
          task.uuid,
          task.type,
          task.method,
          JSON.stringify(task.config),
          now,
          unlessNewerThan ?? '',
          indexOf(task),
        ],
      )) as 'ok' | 'newer';
    },

    /**
     * Removes a task with all that waits for it.
     * @param unlessChangedSince only when nothing waits for it and it was not changed since (ms)
     * @param lastSeen id of the last delivery that waits, or "": `more` says that there are others by now
     */
    async remove(
      uuid: string,
      unlessChangedSince?: number,
      lastSeen = '',
    ): Promise<'ok' | 'unknown' | 'kept' | 'more'> {
      const keys = hookKeys(uuid);
      return (await deleteScript(
        [
          keys.task,
          KEYS.tasks,
          KEYS.kinds,
          KEYS.stopped,
          KEYS.pending,
          KEYS.waitingTotal,
          KEYS.failed,
          keys.executions,
          keys.states,
          keys.waiting,
          keys.done,
          keys.seen,
          keys.dead,
          KEYS.heads,
          KEYS.stoppedHeads,
          KEYS.polls,
          KEYS.pollsFailing,
          keys.changes,
        ],
        [uuid, unlessChangedSince ?? '', lastSeen],
      )) as 'ok' | 'unknown' | 'kept' | 'more';
    },

    /** @returns how many deliveries wait; undefined for an unknown task */
    async setStopped(uuid: string, stopped: boolean): Promise<number | undefined> {
      const keys = hookKeys(uuid);
      const [kind, waiting] = (await stopScript(
        [keys.task, KEYS.stopped, KEYS.pending, keys.waiting, KEYS.heads, KEYS.stoppedHeads],
        [uuid, stopped ? 1 : 0],
      )) as [string, number?];
      return kind === 'ok' ? waiting : undefined;
    },

    /** With its counts. */
    async read(uuid: string): Promise<Task | undefined> {
      return (await readChunk([uuid]))[0];
    },

    /** Uuids of the repository webhooks of a workflow. */
    async hooksOf(project: string, workflow: string): Promise<string[]> {
      return redis.smembers(workflowHooksKey(project, workflow));
    },

    async exists(uuid: string): Promise<boolean> {
      return (await redis.exists(hookKeys(uuid).task)) === 1;
    },

    /** Of all tasks. */
    async uuids(): Promise<string[]> {
      return redis.smembers(KEYS.tasks);
    },

    /** Of all tasks, sorted, so that a listing does not jump. */
    async sortedUuids(): Promise<string[]> {
      return sortGently(await redis.smembers(KEYS.tasks), byCodeUnits);
    },

    /** Those that are still there, with their counts, in one round trip. */
    readSome: readChunk,

    /** Those that are still there, with their counts, some at a time. */
    async *readAll(uuids: string[]): AsyncGenerator<Task[]> {
      for (let i = 0; i < uuids.length; i += CHUNK)
        yield await readChunk(uuids.slice(i, i + CHUNK));
    },
  };
}
