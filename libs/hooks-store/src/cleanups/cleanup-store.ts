import { keyArgument } from '@cds/redis';
import type { Redis } from 'ioredis';
import { cleanupKey, KEYS, PREFIXES, recordKeys } from '../redis-keys';
import { CLEANUP_SETS } from '../forget-cleanup.lua';
import { type KeyRepair, NO_KEY_REPAIR } from '../unreadable/set-aside';
import { type Cleanup, parseCleanup } from './cleanup';
import { createCleanupProcessing } from './cleanup-processing';
import type { MadeDue } from './cleanup-results';
import { createCleanupSchedule } from './cleanup-schedule';
import { DUE_WITHIN, READ_CLEANUPS } from './due-cleanups.lua';
import type { NearCleanup } from './group-cleanups';
import { MAKE_CLEANUP_DUE, REMOVE_CLEANUP, SET_CLEANUP_STOPPED } from './operate-cleanup.lua';

const BROUGHT_FORWARD_AT_ONCE = 200;
/** Reads of one script, so that it does not hold Redis up. */
const READ_AT_ONCE = 500;

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
  const readCleanups = READ_CLEANUPS.on(redis);
  const findDue = DUE_WITHIN.on(redis);

  return {
    ...createCleanupSchedule({ redis, keyRepair }),
    ...createCleanupProcessing({ redis, deadLetters, keyRepair }),

    async read(id: string): Promise<Cleanup | undefined> {
      const hash = await keyRepair.cleanup(id, () => redis.hgetall(cleanupKey(id)));
      return parseCleanup(id, hash);
    },

    remove: (id: string): Promise<'unknown' | 'ok'> =>
      keyRepair.cleanup(id, () => removeCleanup(KEYS, { id, ...PREFIXES })),

    /** @returns when it is due (ms); undefined for an unknown id */
    async setStopped(id: string, stopped: boolean, now: number): Promise<number | undefined> {
      const reply = await keyRepair.cleanup(id, () =>
        setStopped(recordKeys(id), { id, isStop: stopped, now }),
      );
      return reply.kind === 'ok' ? reply.due : undefined;
    },

    /** Makes it due at `now` (ms) at the latest, for an operator. */
    makeDue: (id: string, now: number): Promise<MadeDue> =>
      keyRepair.cleanup(id, () => makeDue(recordKeys(id), { id, now })),

    /**
     * Brings cleanups forward whose time is later than any pause lasts: they failed before the
     * clock was put back. The record still decides whether they are due.
     * @param latestPause when a pause that begins now ends at the latest (ms)
     */
    async bringForward(latestPause: number): Promise<void> {
      const from = `(${latestPause}`;
      const late = await redis.zrangebyscore(KEYS.cleanups, from, '+inf', 'WITHSCORES');
      for (let i = 0; i < late.length; i += 2 * BROUGHT_FORWARD_AT_ONCE) {
        const chunk = late.slice(i, i + 2 * BROUGHT_FORWARD_AT_ONCE);
        const ids = chunk.filter((_, index) => index % 2 === 0);
        const scores = new Map(ids.map((id, index) => [id, Number(chunk[2 * index + 1])]));
        for (const { id, due } of await this.readAll(ids)) {
          const next = Math.max(due, latestPause);
          if (next < (scores.get(id) ?? 0)) await redis.zadd(KEYS.cleanups, 'XX', 'LT', next, id);
        }
      }
    },

    /** Ids that were due before `before` (ms), the oldest first. */
    async overdue(before: number, limit: number): Promise<string[]> {
      return redis.zrangebyscore(KEYS.cleanups, '-inf', before, 'LIMIT', 0, limit);
    },

    /** Those due later than `after` and not later than `until` (ms), the first ones first. */
    async dueWithin(
      of: Record<'after' | 'until' | 'offset' | 'limit', number>,
    ): Promise<NearCleanup[]> {
      const { after, until, offset, limit } = of;
      const from = Number.isFinite(after) ? `(${after}` : '-inf';
      return findDue(KEYS, { from, until, offset, limit, ...PREFIXES });
    },

    /** All ids: scheduled, stopped, failed. */
    async ids(): Promise<string[]> {
      const sets = CLEANUP_SETS.map((set) => redis.zrange(KEYS[set], '0', '-1'));
      return (await Promise.all(sets)).flat();
    },

    async stoppedIds(): Promise<string[]> {
      return redis.zrange(KEYS.stoppedCleanups, '0', '-1');
    },

    /** Those that exist, in the same order. */
    async readAll(ids: readonly string[]): Promise<Cleanup[]> {
      const cleanups: Cleanup[] = [];
      for (let i = 0; i < ids.length; i += READ_AT_ONCE) {
        const some = ids.slice(i, i + READ_AT_ONCE);
        const keys = some.map((id) => ({ record: keyArgument(cleanupKey(id)) }));
        const records = await readCleanups({}, {}, keys);
        for (const [index, record] of records.entries()) {
          const cleanup = parseCleanup(some[index] ?? '', toObject(record));
          if (cleanup) cleanups.push(cleanup);
        }
      }
      return cleanups;
    },
  };
}

/** From the fields of a hash as a script returns it: field, value, field…. */
function toObject(record: readonly string[]): Record<string, string> {
  const object: Record<string, string> = {};
  for (let i = 0; i + 1 < record.length; i += 2) object[record[i] ?? ''] = record[i + 1] ?? '';
  return object;
}
