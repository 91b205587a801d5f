import { randomUUID } from 'node:crypto';
import { hookKeys, KEYS } from '../redis-keys';
import type { KeyRepair } from '../unreadable/set-aside';
import { createHookScripts } from '../hook-scripts';
import type { TaskStore } from '../tasks/task-store';
import type { Redis } from 'ioredis';
import { ACCEPT_OUTGOING } from './accept-outgoing.lua';
import type { OutgoingHook } from './outgoing-hook';

/** A saved workflow has new hooks; those without a run for this time are removed. */
export const UNUSED_MS = 7 * 24 * 3_600_000;
const FORGOTTEN_AT_ONCE = 10;

/** The tasks of outgoing hooks in Redis. */
export function createOutgoingStore(deps: {
  redis: Redis;
  tasks: Pick<TaskStore, 'remove'>;
  keyRepair?: KeyRepair;
}) {
  const { redis, tasks } = deps;
  const runScript = createHookScripts(deps);

  return {
    /** Stores the run once, however often it was sent. */
    async accept(
      hook: OutgoingHook,
      now: number,
    ): Promise<{ isNew: boolean; id: string; stopped: boolean }> {
      const { uuid, type, config, hookRun, request } = hook;
      const received = { type, config, webhook: request, accepted_at: now };
      const execution = JSON.stringify({ ...received, request_id: randomUUID() }).slice(1);
      const args = { uuid, type, now, config: JSON.stringify(config), run: hookRun, execution };
      const { kind, id, stopped } = await runScript(ACCEPT_OUTGOING, uuid, args);
      return { isNew: kind === 'accepted', id, stopped };
    },

    /**
     * Removes a few tasks without a run for a week, unless they have pending or failed executions.
     */
    async forgetUnused(now: number): Promise<void> {
      const limit = now - UNUSED_MS;
      const first = ['LIMIT', 0, FORGOTTEN_AT_ONCE] as const;
      for (const uuid of await redis.zrangebyscore(KEYS.outgoing, '-inf', limit, ...first)) {
        const hasFailed = (await redis.zcard(hookKeys(uuid).dead)) > 0;
        const kept = hasFailed || (await tasks.remove(uuid, limit)) === 'kept';
        // A kept one is checked again in a week.
        if (kept) await redis.zadd(KEYS.outgoing, now, uuid);
        else await redis.zrem(KEYS.outgoing, uuid);
      }
    },
  };
}
