import type { TaskExecution, TaskType } from '@cds/wire';
import type { Redis } from 'ioredis';
import { fieldsOf, readExecution } from '../stored-execution-text';
import { createHookScripts } from '../hook-scripts';
import { hookKeys } from '../redis-keys';
import { type ExecutionState, NEW_STATE, parseState, toTaskExecution } from '../execution';
import { type KeyRepair, NO_KEY_REPAIR } from '../unreadable/set-aside';
import { timestampOfId } from '../clock';
import { unlessUnreadable, UnreadableExecutionError } from '../unreadable/check-execution';
import { DELETE_EXECUTIONS, STOP_EXECUTION } from './execution-scripts.lua';

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
  const run = createHookScripts({ redis, keyRepair });

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
    list: (uuid: string) => keyRepair.hook(uuid, () => list(uuid)),

    find: (uuid: string, id: string): Promise<TaskExecution | undefined> =>
      keyRepair.hook(uuid, async () => (await read(uuid, [id], await doing(uuid)))[0]),

    /**
     * Ends a pending execution, with the state that CDS gives it. @returns false for an unknown one
     */
    async stop(uuid: string, id: string, state: Partial<ExecutionState>): Promise<boolean> {
      const json = JSON.stringify({ ...NEW_STATE, ...state });
      const args = { uuid, id, state: json, history: executionHistory };
      return (await run(STOP_EXECUTION, uuid, args)) !== 'unknown';
    },

    /** @param lastSeen id of the last pending delivery, or "": `more` when there is a later one */
    removeAll: (uuid: string, lastSeen: string) => run(DELETE_EXECUTIONS, uuid, { uuid, lastSeen }),
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
  const nothing = { timestamp: timestampOfId(id), config: null, accepted_at: 0 };
  const execution = { ...nothing, type: (type ?? 'Webhook') as TaskType };
  return toTaskExecution(uuid, execution, { ...state, last_error: state.last_error || message });
}
