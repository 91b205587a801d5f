import { defineScript } from '@cds/redis';
import type { Redis } from 'ioredis';
import { CLEANUP_PREFIX, cleanupKey, HOOK_CLEANUPS_PREFIX, hookKeys, KEYS } from '@cds/hooks-store';
import { type Cleanup, parseCleanup } from './cleanup';
import {
  BEGIN_CLEANUP,
  CANCEL_CLEANUP,
  FAIL_CLEANUP,
  REMOVE_CLEANUP,
  SCHEDULE_CLEANUP,
  SET_CLEANUP_STOPPED,
} from './scripts/cleanup-scripts.lua';

/** Cleanups that failed for good stay visible up to this many; then the oldest go. */
const FAILURES_KEPT = 100;
const BROUGHT_FORWARD_AT_ONCE = 200;
const PREFIXES = [CLEANUP_PREFIX, HOOK_CLEANUPS_PREFIX];
const SETS = [KEYS.cleanups, KEYS.stoppedCleanups, KEYS.failedCleanups];

export interface CleanupFailure {
  nbErrors: number;
  error: string;
  outages: number;
  /** When to try again (ms); undefined gives it up. */
  retryAt?: number;
  /** The API said no, so that nothing but time ends the pause. */
  refused: boolean;
  /** An operator ended it: it did not fail. */
  ended?: boolean;
  now: number;
}

export type CleanupStore = ReturnType<typeof createCleanupStore>;

/** The scheduled cleanups in Redis. The record decides; BullMQ's job is only its alarm clock. */
export function createCleanupStore(deps: { redis: Redis }) {
  const { redis } = deps;
  const scheduleScript = defineScript(redis, 'cdsbbScheduleCleanup', SCHEDULE_CLEANUP, 4);
  const cancelScript = defineScript(redis, 'cdsbbCancelCleanup', CANCEL_CLEANUP, 4);
  const removeScript = defineScript(redis, 'cdsbbRemoveCleanup', REMOVE_CLEANUP, 3);
  const beginScript = defineScript(redis, 'cdsbbBeginCleanup', BEGIN_CLEANUP, 3);
  const failScript = defineScript(redis, 'cdsbbFailCleanup', FAIL_CLEANUP, 4);
  const stopScript = defineScript(redis, 'cdsbbStopCleanup', SET_CLEANUP_STOPPED, 4);

  return {
    /** For the holder of the hook. @returns false when that is another one by now */
    async schedule(
      holder: string,
      of: Pick<
        Cleanup,
        'id' | 'due' | 'accepted' | 'hook' | 'project' | 'workflow' | 'repository' | 'branch'
      >,
    ): Promise<boolean> {
      const reply = await scheduleScript(
        [...SETS, hookKeys(of.hook).owner],
        [
          holder,
          ...PREFIXES,
          of.id,
          of.due,
          of.accepted,
          of.hook,
          of.project,
          of.workflow,
          of.repository,
          of.branch,
        ],
      );
      return reply === 'ok';
    },

    /** For the holder of the hook whose branch is back. */
    async cancel(
      holder: string,
      of: Pick<Cleanup, 'id' | 'hook' | 'branch'>,
    ): Promise<'none' | 'cancelled' | 'lost'> {
      return (await cancelScript(
        [...SETS, hookKeys(of.hook).owner],
        [holder, ...PREFIXES, of.id, of.hook, of.branch],
      )) as 'none' | 'cancelled' | 'lost';
    },

    async read(id: string): Promise<Cleanup | undefined> {
      return parseCleanup(id, await redis.hgetall(cleanupKey(id)));
    },

    /** @param accepted only while it is still the cleanup of that deletion */
    async remove(id: string, accepted = ''): Promise<'unknown' | 'changed' | 'ok'> {
      return (await removeScript([...SETS], [id, ...PREFIXES, accepted])) as 'unknown' | 'ok';
    },

    /** The last look before the call: still ours, still due, nothing new since `lastSeen`. */
    async begin(
      holder: string,
      cleanup: Cleanup,
      lastSeen: string,
    ): Promise<'ok' | 'lost' | 'changed' | 'more'> {
      const keys = hookKeys(cleanup.hook);
      return (await beginScript(
        [cleanupKey(cleanup.id), keys.owner, keys.waiting],
        [holder, cleanup.accepted, lastSeen],
      )) as 'ok' | 'lost' | 'changed' | 'more';
    },

    async fail(cleanup: Cleanup, failure: CleanupFailure): Promise<'ok' | 'changed'> {
      return (await failScript(
        [...SETS, cleanupKey(cleanup.id)],
        [
          cleanup.id,
          ...PREFIXES,
          cleanup.accepted,
          failure.now,
          failure.nbErrors,
          failure.error,
          failure.outages,
          failure.retryAt ?? '',
          failure.refused ? 1 : 0,
          FAILURES_KEPT,
          failure.ended ? 1 : 0,
        ],
      )) as 'ok' | 'changed';
    },

    /** @returns when it is due (ms); undefined when there is none of this id */
    async setStopped(id: string, stopped: boolean, now: number): Promise<number | undefined> {
      const [kind, due] = (await stopScript(
        [...SETS, cleanupKey(id)],
        [id, stopped ? 1 : 0, now],
      )) as [string, string?];
      return kind === 'ok' ? Number(due) : undefined;
    },

    /**
     * Brings cleanups forward that are to be acted on later than anything makes them wait: they failed before the
     * clock was put back. The record still decides whether they are due.
     *
     * @param latestPause when a pause that begins now ends at the latest (ms)
     */
    async bringForward(latestPause: number): Promise<void> {
      const late = await redis.zrangebyscore(
        KEYS.cleanups,
        `(${latestPause}`,
        '+inf',
        'WITHSCORES',
      );
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

    /** Ids that should have been acted on before `before` (ms), the oldest first. */
    async overdue(before: number, limit: number): Promise<string[]> {
      return redis.zrangebyscore(KEYS.cleanups, '-inf', before, 'LIMIT', 0, limit);
    },

    /** All ids: scheduled, stopped, failed. */
    async ids(): Promise<string[]> {
      const all = await Promise.all(SETS.map((set) => redis.zrange(set, '0', '-1')));
      return all.flat();
    },

    /** Ids of those that an operator stopped. */
    async stoppedIds(): Promise<string[]> {
      return redis.zrange(KEYS.stoppedCleanups, '0', '-1');
    },

    async readAll(ids: string[]): Promise<Cleanup[]> {
      const pipeline = redis.pipeline();
      for (const id of ids) pipeline.hgetall(cleanupKey(id));
      const replies = (await pipeline.exec()) ?? [];
      return ids.flatMap((id, index) => {
        const [error, hash] = replies[index] ?? [];
        if (error) throw error;
        const cleanup = parseCleanup(id, (hash ?? {}) as Record<string, string>);
        return cleanup ? [cleanup] : [];
      });
    },
  };
}
