import { keyArgument } from '@cds/redis';
import { type HookConfig, type Task, type TaskType, taskTypeSchema } from '@cds/wire';
import type { Redis } from 'ioredis';
import { hookKeys, KEYS, PREFIXES, workflowHooksKey } from '../redis-keys';
import { repliesOf } from '../pipeline-replies';
import { byCodeUnits, sortGently } from '../sort-gently';
import { readConfig } from '../unreadable/read-config';
import { type KeyRepair, NO_KEY_REPAIR } from '../unreadable/set-aside';
import { createHookScripts } from '../hook-scripts';
import { traitsOf } from '../task-type-traits';
import {
  COUNT_KINDS,
  DELETE_TASK,
  LOOK_FOR_TASKS,
  PUT_TASK,
  READ_TASKS,
  SET_STOPPED,
  type TaskReply,
} from './task-scripts.lua';

const CHUNK = 200;
const SCANNED = 1_000;

export interface TaskToKeep {
  uuid: string;
  type: TaskType;
  /** The method of its webhook's requests; "" for hooks without any. */
  method: string;
  config: HookConfig | null;
}

const toEach = (uuids: readonly string[]) => uuids.map((uuid) => ({ uuid }));

type ReadTask = Omit<Task, 'config'> & { config: HookConfig | null | undefined };

export type TaskStore = ReturnType<typeof createTaskStore>;

/** The index of its workflow; plain webhooks have no branches. */
function indexOf({ type, config }: TaskToKeep): string {
  const project = config?.project?.value;
  const workflow = config?.workflow?.value;
  return traitsOf(type).takesPushes && project && workflow
    ? workflowHooksKey(project, workflow)
    : '';
}

/** The tasks of hooks in Redis. */
export function createTaskStore(deps: {
  redis: Redis;
  keyRepair?: KeyRepair;
  /** Called for each task that a listing leaves out since its configuration is unreadable. */
  unreadable?: (uuid: string) => void;
}) {
  const { redis, keyRepair = NO_KEY_REPAIR, unreadable = () => undefined } = deps;
  const run = createHookScripts({ redis, keyRepair });
  const readTasks = READ_TASKS.on(redis);
  const countKinds = COUNT_KINDS.on(redis);
  const lookForTasks = LOOK_FOR_TASKS.on(redis);

  /** Undefined for a task with a key of another type. */
  const askFor = (uuids: readonly string[]) => readTasks(KEYS, PREFIXES, toEach(uuids));

  function askAnew(uuid: string): Promise<TaskReply> {
    return keyRepair.hook(uuid, async () => {
      const [reply] = await askFor([uuid]);
      if (reply === undefined) throw new Error(`WRONGTYPE of a key of task ${uuid}`);
      return reply;
    });
  }

  /** With `config: undefined` where it is unreadable. */
  async function readThese(uuids: string[]): Promise<ReadTask[]> {
    const read = await askFor(uuids);
    const replies = await Promise.all(
      uuids.map(async (uuid, index) => read[index] ?? askAnew(uuid).catch(() => undefined)),
    );
    return uuids.flatMap((uuid, index) => {
      const reply = replies[index];
      const type = taskTypeSchema.safeParse(reply?.[0]).data;
      if (!reply || !type) {
        if (reply?.[0] || read[index] === undefined) unreadable(uuid);
        return [];
      }
      const [, config, stopped, done, waiting, dead, planned] = reply;
      // The next time of a scheduler is an execution, too, and so is the next poll.
      const todo = waiting + planned;
      return [
        {
          uuid,
          type,
          config: readConfig(config),
          stopped: stopped === '1',
          executions: null,
          nb_executions_total: done + dead + todo,
          nb_executions_todo: todo,
        },
      ];
    });
  }

  async function readSome(uuids: string[]): Promise<Task[]> {
    return (await readThese(uuids)).flatMap(({ config, ...task }) => {
      if (config !== undefined) return [{ ...task, config }];
      unreadable(task.uuid);
      return [];
    });
  }

  /**
   * Checks some tasks in one script, and queues their pending executions where they are not queued.
   * @returns their pending executions, the number of unreadable tasks, and the missing ones
   */
  const lookFor = (uuids: readonly string[]) => lookForTasks(KEYS, PREFIXES, toEach(uuids));

  return {
    /**
     * Stores a task, new or changed; a stopped one stays stopped.
     * @param unlessNewerThan leaves a task that was changed later (ms)
     */
    put(task: TaskToKeep, now: number, unlessNewerThan?: number) {
      const { uuid, type, method } = task;
      const workflowIndex = indexOf(task);
      const args = {
        uuid,
        type,
        method,
        now,
        config: JSON.stringify(task.config),
        unlessNewerThan: unlessNewerThan ?? '',
        workflowHooks: workflowIndex === '' ? '' : keyArgument(workflowIndex),
      };
      return run(PUT_TASK, uuid, args);
    },

    /**
     * Removes a task and its pending executions.
     * @param unlessChangedSince only without pending executions or changes since (ms)
     * @param lastSeen id of the last pending delivery, or "": `more` when there is a later one
     */
    remove(uuid: string, unlessChangedSince?: number, lastSeen = '') {
      const args = { uuid, unlessChangedSince: unlessChangedSince ?? '', lastSeen };
      return run(DELETE_TASK, uuid, args);
    },

    /** @returns the number of pending executions; undefined for an unknown task */
    async setStopped(uuid: string, stopped: boolean): Promise<number | undefined> {
      const reply = await run(SET_STOPPED, uuid, { uuid, isStopped: stopped });
      return reply.kind === 'ok' ? reply.waiting : undefined;
    },

    /**
     * With its counts; `config` is null where it is unreadable, so that such a task can be removed.
     */
    async read(uuid: string): Promise<Task | undefined> {
      const [task] = await readThese([uuid]);
      return task && { ...task, config: task.config ?? null };
    },

    /** Uuids of the repository webhooks of a workflow. */
    hooksOf: (project: string, workflow: string) =>
      redis.smembers(workflowHooksKey(project, workflow)),

    async exists(uuid: string): Promise<boolean> {
      return (await redis.exists(hookKeys(uuid).task)) === 1;
    },

    /** Those in the set of tasks whose hash is gone. */
    async vanished(uuids: readonly string[]): Promise<string[]> {
      const vanished: string[] = [];
      for (let i = 0; i < uuids.length; i += CHUNK)
        vanished.push(...(await lookFor(uuids.slice(i, i + CHUNK))).vanished);
      return vanished;
    },

    lookFor,

    /** Some uuids; all of them by the time that `next` is `0` again. */
    async someUuids(cursor: string): Promise<{ next: string; uuids: string[] }> {
      const [next, uuids] = await redis.sscan(KEYS.tasks, cursor, 'COUNT', CHUNK);
      return { next, uuids };
    },

    /** The number of tasks, and their sum over all types. */
    async counted(): Promise<{ there: number; known: number }> {
      const counting = redis.pipeline().scard(KEYS.tasks).hvals(KEYS.kinds);
      const [there, kinds] = (await repliesOf(counting)) as [number, string[]];
      return { there, known: kinds.reduce((sum, count) => sum + Number(count), 0) };
    },

    /** Whether any of these is a task. */
    async isAny(uuids: readonly string[]): Promise<boolean> {
      return uuids.length > 0 && (await redis.smismember(KEYS.tasks, ...uuids)).includes(1);
    },

    /** Corrects the number of tasks of each type after a loss. */
    countKinds: () => countKinds(KEYS, PREFIXES),

    uuids: () => redis.smembers(KEYS.tasks),

    /** Of all tasks, sorted, so that the order of a listing is stable. */
    async sortedUuids(): Promise<string[]> {
      const uuids = new Set<string>();
      let cursor = '0';
      // Not in one reply: parsing it would block the process.
      do {
        const [next, some] = await redis.sscan(KEYS.tasks, cursor, 'COUNT', SCANNED);
        for (const uuid of some) uuids.add(uuid);
        cursor = next;
      } while (cursor !== '0');
      return sortGently([...uuids], byCodeUnits);
    },

    /** Those that exist and are readable, with their counts, in one round trip. */
    readSome,

    /** Those that exist, with their counts, some at a time; `config` as for `read`. */
    async *readAll(uuids: string[]): AsyncGenerator<Task[]> {
      for (let i = 0; i < uuids.length; i += CHUNK) {
        const tasks = await readThese(uuids.slice(i, i + CHUNK));
        yield tasks.map((task) => ({ ...task, config: task.config ?? null }));
      }
    },
  };
}
