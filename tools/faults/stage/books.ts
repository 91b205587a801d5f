import { parseState } from '@cds/hooks-store';
import { bodyField, hookKeys, KEYS } from '@cds/hooks-store/keys';
import type { Redis } from 'ioredis';
import type { Violation } from '../checker/history';

/** What Redis says of deliveries when everything is over. */
export interface Books {
  /** Deliveries that wait, over all hooks. */
  waiting: number;
  violations: Violation[];
}

/**
 * Looks whether nothing waits any more and the counts agree: nothing that was worked off has left
 * anything behind.
 */
export async function readBooks(redis: Redis, hooks: { uuid: string }[]): Promise<Books> {
  const violations: Violation[] = [];
  const say = (sentence: string): number => violations.push({ kind: 'books', sentence });
  let waiting = 0;
  for (const { uuid } of hooks) {
    const keys = hookKeys(uuid);
    const listed = await redis.llen(keys.waiting);
    const fields = await redis.hkeys(keys.executions);
    const executions = fields.filter((field) => !field.endsWith(bodyField('')));
    const done = new Set(await redis.zrange(keys.done, 0, '-1'));
    const states = await redis.hgetall(keys.states);
    waiting += listed;
    if (executions.length !== listed + done.size)
      say(
        `Redis holds ${executions.length} executions of hook ${uuid}, ${listed} wait and ${done.size} are done.`,
      );
    for (const id of executions) {
      const state = parseState(states[id]);
      if (done.has(id) && (state.status !== 'DONE' || state.failed))
        say(`The execution ${id} of hook ${uuid} ended as ${JSON.stringify(state)}.`);
    }
  }
  const total = Number((await redis.get(KEYS.waitingTotal)) ?? 0);
  if (total !== waiting) say(`Redis counts ${total} waiting deliveries, and ${waiting} wait.`);
  const heads =
    (await redis.zcard(KEYS.waitingSince)) + (await redis.zcard(KEYS.stoppedWaitingSince));
  if (waiting === 0 && heads > 0) say(`Redis holds that ${heads} hooks have work, and none waits.`);
  return { waiting, violations };
}
