import type { Redis } from 'ioredis';
import { cleanupKey, hookKeys, keysOf, PREFIXES, withCommonKeys } from '../redis-keys';
import type { KeyRepair } from '../unreadable/set-aside';
import type { Cleanup } from './cleanup';
import type { Cancelled } from './cleanup-results';
import {
  CANCEL_BEFORE_PUSH,
  CANCEL_CLEANUP,
  POSTPONE_CLEANUP,
  SCHEDULE_CLEANUP,
} from './schedule-cleanup.lua';

type NewCleanup = Pick<
  Cleanup,
  | 'id'
  | 'due'
  | 'accepted'
  | 'hook'
  | 'project'
  | 'workflow'
  | 'repository'
  | 'branch'
  | 'requestId'
>;

/** Schedules and cancels cleanups for the deliveries of hooks. */
export function createCleanupSchedule(deps: { redis: Redis; keyRepair: KeyRepair }) {
  const { redis, keyRepair } = deps;
  const schedule = SCHEDULE_CLEANUP.on(redis);
  const cancel = CANCEL_CLEANUP.on(redis);
  const cancelBeforePush = CANCEL_BEFORE_PUSH.on(redis);
  const postpone = POSTPONE_CLEANUP.on(redis);
  const mended = <T>(of: Pick<Cleanup, 'id' | 'hook'>, work: () => Promise<T>): Promise<T> =>
    keyRepair.hook(of.hook, () => keyRepair.cleanup(of.id, work));

  return {
    /**
     * For the holder of the hook lock.
     * @returns `back` when a push after that deletion was removed unprocessed
     */
    schedule: (lockToken: string, of: NewCleanup): Promise<'ok' | 'lost' | 'back'> =>
      mended(of, () => schedule(keysOf(of.hook), { lockToken, ...of, ...PREFIXES })),

    /** For the holder of the lock of the hook whose branch is back. */
    cancel(
      lockToken: string,
      of: Pick<Cleanup, 'id' | 'hook' | 'branch'> & { olderId?: string },
    ): Promise<Cancelled> {
      const { id, hook, branch, olderId = id } = of;
      const args = { lockToken, id, hook, branch, olderId, ...PREFIXES };
      return mended(of, () => cancel(keysOf(hook), args));
    },

    /**
     * Called before a pending push is removed.
     * @param of.push id of its execution
     * @returns the number of cancelled cleanups
     */
    cancelBeforePush: (
      of: Pick<Cleanup, 'id' | 'hook' | 'branch'> & { olderId: string; push: string },
    ): Promise<number> =>
      mended(of, () => cancelBeforePush(keysOf(of.hook), { ...of, ...PREFIXES })),

    /** For the holder of the hook lock: not before `due` (ms). */
    postpone(lockToken: string, cleanup: Cleanup, due: number): Promise<'ok' | 'lost' | 'changed'> {
      const { id, hook, accepted } = cleanup;
      const keys = withCommonKeys({ record: cleanupKey(id), owner: hookKeys(hook).owner });
      return mended(cleanup, () => postpone(keys, { id, lockToken, accepted, due }));
    },
  };
}
