import { randomUUID } from 'node:crypto';
import { hookKeys, KEYS, keysOf } from '../redis-keys';
import { type KeyRepair, NO_KEY_REPAIR } from '../unreadable/set-aside';
import type { TaskStore } from '../tasks/task-store';
import type { Redis } from 'ioredis';
import { ACCEPT_OUTGOING } from './accept-outgoing.lua';
import type { OutgoingHook } from './outgoing-hook';

/**
 * A workflow that is saved again has new hooks; those that no run came to for so long are
 * forgotten.
 */
export const UNUSED_MS = 7 * 24 * 3_600_000;
const FORGOTTEN_AT_ONCE = 10;

export type OutgoingStore = ReturnType<typeof createOutgoingStore>;

/** The tasks of outgoing hooks in Redis. */
export function createOutgoingStore(deps: {
  redis: Redis;
  tasks: Pick<TaskStore, 'remove'>;
  keyRepair?: KeyRepair;
}) {
  const { redis, tasks, keyRepair = NO_KEY_REPAIR } = deps;
  const acceptOutgoing = ACCEPT_OUTGOING.on(redis);

  return {
    /** When this returns, the run is in Redis, once, however often it was sent. */
    async accept(
      hook: OutgoingHook,
      now: number,
    ): Promise<{ isNew: boolean; id: string; stopped: boolean }> {
      const { uuid, type, config, hookRun, request } = hook;
      const received = { type, config, webhook: request, accepted_at: now };
      // By which the log tells of it.
      const rest = JSON.stringify({ ...received, request_id: randomUUID() }).slice(1);
      const { kind, id, stopped } = await keyRepair.hook(uuid, () =>
        acceptOutgoing(keysOf(uuid), {
          uuid,
          type,
          now,
          config: JSON.stringify(config),
          run: hookRun,
          execution: rest,
        }),
      );
      return { isNew: kind === 'accepted', id, stopped };
    },

    /**
     * Removes a few tasks that no run came to for a week, unless something of them waits or failed.
     */
    async forgetUnused(now: number): Promise<void> {
      const limit = now - UNUSED_MS;
      const unused = await redis.zrangebyscore(
        KEYS.outgoing,
        '-inf',
        limit,
        'LIMIT',
        0,
        FORGOTTEN_AT_ONCE,
      );
      for (const uuid of unused) {
        const hasFailed = (await redis.zcard(hookKeys(uuid).dead)) > 0;
        const kept = hasFailed || (await tasks.remove(uuid, limit)) === 'kept';
        // What is kept is looked at again in a week.
        if (kept) await redis.zadd(KEYS.outgoing, now, uuid);
        else await redis.zrem(KEYS.outgoing, uuid);
      }
    },
  };
}
