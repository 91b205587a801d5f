import type { TaskExecution, TaskType } from '@cds/wire';
import type { Redis } from 'ioredis';
import { fieldsOf, readExecution } from '../stored-execution-text';
import { hookKeys, keysOf } from '../redis-keys';
import { type ExecutionState, NEW_STATE, parseState, toTaskExecution } from '../execution';
import { type KeyRepair, NO_KEY_REPAIR } from '../unreadable/set-aside';
import { timestampOfId } from '../clock';
import { unlessUnreadable, UnreadableExecutionError } from '../unreadable/check-execution';
import { DELETE_EXECUTIONS } from './delete-executions.lua';
import { STOP_EXECUTION } from './stop-execution.lua';

/** Pending executions that are listed, the oldest; the task has the count of all. */
const WAITING_LISTED = 500;
/** Dead letters that are listed, the newest; `/admin/dead-letters` lists all. */
const DEAD_LISTED = 500;

/** The executions of a task as CDS's routes show them. */
export function createExecutionStore(deps: {
  redis: Redis;
  executionHistory: number;
  keyRepair?: KeyRepair;
}) {
  const { redis, executionHistory, keyRepair = NO_KEY_REPAIR } = deps;
  const stopExecution = STOP_EXECUTION.on(redis);
  const deleteExecutions = DELETE_EXECUTIONS.on(redis);

  async function read(uuid: string, ids: string[], doing?: string): Promise<TaskExecution[]> {
    if (ids.length === 0) return [];
    const keys = hookKeys(uuid);
    const [executions, states] = await Promise.all([
      redis.hmget(keys.executions, ...fieldsOf(ids)),
      redis.hmget(keys.states, ...ids),
    ]);
    const stored = ids.map((_id, index) => {
      const [json, body] = executions.slice(2 * index);
      return json ? (unlessUnreadable(() => readExecution(json, body)) ?? 'unreadable') : undefined;
    });
    const type = stored.includes('unreadable') ? await redis.hget(keys.task, 'type') : null;
    return ids.flatMap((id, index) => {
      const execution = stored[index];
      if (!execution) return [];
      const state = parseState(states[index]);
      const status = id === doing && state.status === '' ? 'DOING' : state.status;
      return [
        execution === 'unreadable'
          ? withoutContent(uuid, id, type, { ...state, status })
          : toTaskExecution(uuid, execution, { ...state, status }),
      ];
    });
  }

  /** The id of the execution that is processed now. */
  async function doing(uuid: string): Promise<string | undefined> {
    const keys = hookKeys(uuid);
    const [owned, pending] = await Promise.all([
      redis.exists(keys.owner),
      redis.lindex(keys.waiting, 0),
    ]);
    return owned && pending ? pending : undefined;
  }

  async function list(uuid: string): Promise<TaskExecution[]> {
    const keys = hookKeys(uuid);
    const [waiting, done, dead, underWay] = await Promise.all([
      redis.lrange(keys.waiting, 0, WAITING_LISTED - 1),
      redis.zrange(keys.done, '0', '-1'),
      redis.zrange(keys.dead, String(-DEAD_LISTED), '-1'),
      doing(uuid),
    ]);
    const ids = [...new Set([...done, ...dead, ...waiting])].sort((a, b) => Number(b) - Number(a));
    return read(uuid, ids, underWay);
  }

  return {
    async list(uuid: string): Promise<TaskExecution[]> {
      return keyRepair.hook(uuid, () => list(uuid));
    },

    async find(uuid: string, id: string): Promise<TaskExecution | undefined> {
      return keyRepair.hook(uuid, async () => (await read(uuid, [id], await doing(uuid)))[0]);
    },

    /**
     * Ends a pending execution, with the state that CDS gives it. @returns false for an unknown one
     */
    async stop(uuid: string, id: string, state: Partial<ExecutionState>): Promise<boolean> {
      const json = JSON.stringify({ ...NEW_STATE, ...state });
      const reply = await keyRepair.hook(uuid, () =>
        stopExecution(keysOf(uuid), { uuid, id, state: json, history: executionHistory }),
      );
      return reply !== 'unknown';
    },

    /**
     * @param lastSeen id of the last pending delivery, or "": does nothing when there is a later
     *   one
     */
    async removeAll(uuid: string, lastSeen: string): Promise<'ok' | 'more'> {
      return keyRepair.hook(uuid, () => deleteExecutions(keysOf(uuid), { uuid, lastSeen }));
    },
  };
}

/** An unreadable execution. */
function withoutContent(
  uuid: string,
  id: string,
  type: string | null,
  state: ExecutionState,
): TaskExecution {
  const { message } = new UnreadableExecutionError();
  const nothing = {
    timestamp: timestampOfId(id),
    type: (type ?? 'Webhook') as TaskType,
    config: null,
    accepted_at: 0,
  };
  return toTaskExecution(uuid, nothing, { ...state, last_error: state.last_error || message });
}
