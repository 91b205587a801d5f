import { defineScript } from '@cds/redis';
import type { TaskExecution } from '@cds/wire';
import type { Redis } from 'ioredis';
import {
  fieldsOf,
  hookKeys,
  KEYS,
  type ExecutionState,
  NEW_STATE,
  parseState,
  readExecution,
  toTaskExecution,
} from '@cds/hooks-store';
import { DELETE_EXECUTIONS } from './scripts/delete-executions.lua';
import { STOP_EXECUTION } from './scripts/stop-execution.lua';

/** Deliveries that wait are listed up to this many, the oldest; the counts of the task tell how many there are. */
const WAITING_LISTED = 500;
/** Dead letters are listed up to this many, the newest; `/admin/dead-letters` lists all. */
const DEAD_LISTED = 500;

export type ExecutionStore = ReturnType<typeof createExecutionStore>;

/** The executions of a task as CDS's routes see them. */
export function createExecutionStore(deps: { redis: Redis; executionHistory: number }) {
  const { redis, executionHistory } = deps;
  const stopScript = defineScript(redis, 'cdsbbStopExecution', STOP_EXECUTION, 9);
  const deleteScript = defineScript(redis, 'cdsbbDeleteExecutions', DELETE_EXECUTIONS, 11);

  async function read(uuid: string, ids: string[], doing?: string): Promise<TaskExecution[]> {
    if (ids.length === 0) return [];
    const keys = hookKeys(uuid);
    const [executions, states] = await Promise.all([
      redis.hmget(keys.executions, ...fieldsOf(ids)),
      redis.hmget(keys.states, ...ids),
    ]);
    return ids.flatMap((id, index) => {
      const [json, body] = executions.slice(2 * index);
      if (!json) return [];
      const state = parseState(states[index]);
      const status = id === doing && state.status === '' ? 'DOING' : state.status;
      return [toTaskExecution(uuid, readExecution(json, body), { ...state, status })];
    });
  }

  /** The id of the execution that is worked off at this moment. */
  async function doing(uuid: string): Promise<string | undefined> {
    const keys = hookKeys(uuid);
    const [owned, head] = await Promise.all([
      redis.exists(keys.owner),
      redis.lindex(keys.waiting, 0),
    ]);
    return owned && head ? head : undefined;
  }

  return {
    /** Newest first. */
    async list(uuid: string): Promise<TaskExecution[]> {
      const keys = hookKeys(uuid);
      const [waiting, done, dead, underWay] = await Promise.all([
        redis.lrange(keys.waiting, 0, WAITING_LISTED - 1),
        redis.zrange(keys.done, '0', '-1'),
        redis.zrange(keys.dead, String(-DEAD_LISTED), '-1'),
        doing(uuid),
      ]);
      const ids = [...new Set([...done, ...dead, ...waiting])].sort(
        (a, b) => Number(b) - Number(a),
      );
      return read(uuid, ids, underWay);
    },

    async find(uuid: string, id: string): Promise<TaskExecution | undefined> {
      return (await read(uuid, [id], await doing(uuid)))[0];
    },

    /** Ends an execution that waits, with the marks that CDS gives it. @returns false for an unknown one */
    async stop(uuid: string, id: string, state: Partial<ExecutionState>): Promise<boolean> {
      const reply = await stopScript(keysOfExecutions(uuid), [
        uuid,
        id,
        JSON.stringify({ ...NEW_STATE, ...state }),
        executionHistory,
      ]);
      return reply !== 'unknown';
    },

    /** @param lastSeen id of the last delivery that waits, or "": with any after it, nothing is done */
    async removeAll(uuid: string, lastSeen: string): Promise<'ok' | 'more'> {
      const { dead, task } = hookKeys(uuid);
      const keys = [...keysOfExecutions(uuid), dead, task];
      return (await deleteScript(keys, [uuid, lastSeen])) as 'ok' | 'more';
    },
  };
}

/** In the order in which the scripts that end or delete executions take them. */
function keysOfExecutions(uuid: string): string[] {
  const keys = hookKeys(uuid);
  return [
    keys.executions,
    keys.states,
    keys.waiting,
    keys.done,
    KEYS.waitingTotal,
    KEYS.failed,
    KEYS.pending,
    KEYS.heads,
    KEYS.stoppedHeads,
  ];
}
