import type { Redis } from 'ioredis';
import { scoresOf } from '../pipeline-replies';
import { cleanupKey, KEYS, PREFIXES, recordKeys } from '../redis-keys';
import { type KeyRepair, NO_KEY_REPAIR } from '../unreadable/set-aside';
import { type Cleanup, parseCleanup } from './cleanup';
import { CLEANUP_SETS } from './cleanup-functions.lua';
import { createCleanupProcessing } from './cleanup-processing';
import { DUE_WITHIN } from './due-cleanups.lua';
import { MAKE_CLEANUP_DUE, REMOVE_CLEANUP, SET_CLEANUP_STOPPED } from './operate-cleanup.lua';
import { readCleanups } from './read-cleanups';

const BROUGHT_FORWARD_AT_ONCE = 200;

export type CleanupStore = ReturnType<typeof createCleanupStore>;

/** The cleanups in Redis. The record decides; the BullMQ job is only its alarm clock. */
export function createCleanupStore(deps: {
  redis: Redis;
  /** Failed cleanups to keep; the oldest beyond are removed. */
  deadLetters: number;
  keyRepair?: KeyRepair;
}) {
  const { redis, deadLetters, keyRepair = NO_KEY_REPAIR } = deps;
  const makeDue = MAKE_CLEANUP_DUE.on(redis);
  const setStopped = SET_CLEANUP_STOPPED.on(redis);
  const removeCleanup = REMOVE_CLEANUP.on(redis);
  const findDue = DUE_WITHIN.on(redis);

  return {
    ...createCleanupProcessing({ redis, deadLetters, keyRepair }),

    async read(id: string): Promise<Cleanup | undefined> {
      const hash = await keyRepair.cleanup(id, () => redis.hgetall(cleanupKey(id)));
      return parseCleanup(id, hash);
    },

    remove: (id: string) => keyRepair.cleanup(id, () => removeCleanup(KEYS, { id, ...PREFIXES })),

    /** @returns when it is due (ms); undefined for an unknown id */
    async setStopped(id: string, stopped: boolean, now: number): Promise<number | undefined> {
      const reply = await keyRepair.cleanup(id, () =>
        setStopped(recordKeys(id), { id, isStop: stopped, now }),
      );
      return reply.kind === 'ok' ? reply.due : undefined;
    },

    /** Makes it due at `now` (ms) at the latest, for an operator. */
    makeDue: (id: string, now: number) =>
      keyRepair.cleanup(id, () => makeDue(recordKeys(id), { id, now })),

    /**
     * Brings cleanups forward whose time is later than any pause lasts: they failed before the
     * clock was put back. The record still decides whether they are due.
     * @param latestPause when a pause that begins now ends at the latest (ms)
     */
    async bringForward(latestPause: number): Promise<void> {
      const from = `(${latestPause}`;
      const late = await redis.zrangebyscore(KEYS.cleanups, from, '+inf', 'WITHSCORES');
      const scores = scoresOf(late);
      const ids = [...scores.keys()];
      for (let i = 0; i < ids.length; i += BROUGHT_FORWARD_AT_ONCE) {
        const some = ids.slice(i, i + BROUGHT_FORWARD_AT_ONCE);
        for (const { id, due } of await readCleanups(redis, some)) {
          const next = Math.max(due, latestPause);
          if (next < (scores.get(id) ?? 0)) await redis.zadd(KEYS.cleanups, 'XX', 'LT', next, id);
        }
      }
    },

    /** Ids that were due before `before` (ms), the oldest first. */
    overdue: (before: number, limit: number) =>
      redis.zrangebyscore(KEYS.cleanups, '-inf', before, 'LIMIT', 0, limit),

    /** Those due later than `after` and not later than `until` (ms), the first ones first. */
    dueWithin(of: Record<'after' | 'until' | 'offset' | 'limit', number>) {
      const { after, until, offset, limit } = of;
      const from = Number.isFinite(after) ? `(${after}` : '-inf';
      return findDue(KEYS, { from, until, offset, limit, ...PREFIXES });
    },

    /** All ids: scheduled, stopped, failed. */
    async ids(): Promise<string[]> {
      const sets = CLEANUP_SETS.map((set) => redis.zrange(KEYS[set], '0', '-1'));
      return (await Promise.all(sets)).flat();
    },

    stoppedIds: () => redis.zrange(KEYS.stoppedCleanups, '0', '-1'),

    /** Those that exist, in the same order. */
    readAll: (ids: readonly string[]) => readCleanups(redis, ids),
  };
}
