import { keyArgument } from '@cds/redis';
import type { Redis } from 'ioredis';
import { branchRef } from '../changes/change-name';
import {
  cleanupKey,
  hookKeys,
  KEYS,
  keysOf,
  PREFIXES,
  recordKeys,
  WORKFLOW_INDEX_FIELD,
  workflowHooksKey,
} from '../redis-keys';
import type { KeyRepair } from '../unreadable/set-aside';
import type { Cleanup, NewCleanup } from './cleanup';
import { BEGIN_DUE_CLEANUPS } from './due-cleanups.lua';
import {
  BEGIN_CLEANUP,
  FAIL_CLEANUP,
  FINISH_CLEANUP,
  CANCEL_BEGUN_CLEANUPS,
} from './process-cleanup.lua';
import {
  CANCEL_BEFORE_PUSH,
  CANCEL_CLEANUP,
  POSTPONE_CLEANUP,
  SCHEDULE_CLEANUP,
} from './schedule-cleanup.lua';

/** Workflows with more hooks are checked one by one, so that no script is long. */
const MAX_HOOKS_PER_WORKFLOW = 20;

interface CleanupFailure {
  nbErrors: number;
  error: string;
  outages: number;
  /** When to try again (ms); undefined gives it up. */
  retryAt?: number | undefined;
  /** The API refused, so only time ends the pause. */
  refused: boolean;
  /** An operator ended it: it did not fail. */
  ended?: boolean;
  /** What is known of the removal under way, if any. */
  removal?: 'answered' | 'not sent' | 'unsure';
  now: number;
}

type BranchOfHook = Pick<Cleanup, 'id' | 'hook' | 'branch'>;

/**
 * Schedules and cancels cleanups for the deliveries of hooks; begins and ends them around the API
 * call that removes the runs.
 */
export function createCleanupProcessing(deps: {
  redis: Redis;
  deadLetters: number;
  keyRepair: KeyRepair;
}) {
  const { redis, deadLetters, keyRepair } = deps;
  const schedule = SCHEDULE_CLEANUP.on(redis);
  const cancel = CANCEL_CLEANUP.on(redis);
  const cancelBeforePush = CANCEL_BEFORE_PUSH.on(redis);
  const postpone = POSTPONE_CLEANUP.on(redis);
  const begin = BEGIN_CLEANUP.on(redis);
  const beginDue = BEGIN_DUE_CLEANUPS.on(redis);
  const letGo = CANCEL_BEGUN_CLEANUPS.on(redis);
  const finish = FINISH_CLEANUP.on(redis);
  const fail = FAIL_CLEANUP.on(redis);
  const mended = <T>(of: Pick<Cleanup, 'id' | 'hook'>, work: () => Promise<T>): Promise<T> =>
    keyRepair.hook(of.hook, () => keyRepair.cleanup(of.id, work));

  return {
    /** For the holder of the hook lock. */
    schedule: (lockToken: string, of: NewCleanup) =>
      mended(of, () => schedule(keysOf(of.hook), { lockToken, ...of, ...PREFIXES })),

    /** For the holder of the lock of the hook whose branch is back. */
    cancel: (lockToken: string, of: BranchOfHook) =>
      mended(of, () => cancel(keysOf(of.hook), { lockToken, ...of, ...PREFIXES })),

    /**
     * Called before a pending push is removed.
     * @param of.push id of its execution
     */
    cancelBeforePush: (of: BranchOfHook & { push: string }) =>
      mended(of, () => cancelBeforePush(keysOf(of.hook), { ...of, ...PREFIXES })),

    /** For the holder of the hook lock: not before `due` (ms). */
    postpone: (lockToken: string, cleanup: Cleanup, due: number) =>
      mended(cleanup, () => {
        const { id, hook, accepted } = cleanup;
        return postpone(recordKeys(id, hook), { id, lockToken, accepted, due });
      }),

    /**
     * The last check before the call: the hook lock is ours, the cleanup is due as read, and the
     * hooks of its workflow have nothing new.
     * @param lastSeen hook → id of its last delivery that was checked, or ""
     */
    begin(lockToken: string, cleanup: Cleanup, lastSeen: ReadonlyMap<string, string>) {
      const { id, hook } = cleanup;
      const args = { lockToken, hook, ...asRead(cleanup) };
      const seen = [...lastSeen].map(([uuid, last]) => ({
        waiting: keyArgument(hookKeys(uuid).waiting),
        lastSeen: last,
      }));
      return mended(cleanup, () => begin(recordKeys(id, hook), args, seen));
    },

    /**
     * Takes the locks and begins the cleanups that need no check of deliveries first.
     * @param lockToken for all hooks that are free
     * @returns a result for each; `other` needs `begin`
     */
    beginDue(lockToken: string, cleanups: readonly Cleanup[]) {
      const args = {
        lockToken,
        workflowField: WORKFLOW_INDEX_FIELD,
        maxHooks: MAX_HOOKS_PER_WORKFLOW,
        ...PREFIXES,
      };
      const each = cleanups.map((cleanup) => ({
        record: keyArgument(cleanupKey(cleanup.id)),
        hook: cleanup.hook,
        workflowHooks: keyArgument(workflowHooksKey(cleanup.project, cleanup.workflow)),
        ref: branchRef(cleanup.branch),
        ...asRead(cleanup),
      }));
      return beginDue({}, args, each);
    },

    /** For begun cleanups for which the API was not called. */
    async letGo(
      lockToken: string,
      cleanups: readonly Pick<Cleanup, 'id' | 'hook'>[],
    ): Promise<void> {
      if (cleanups.length === 0) return;
      const records = cleanups.map(({ id, hook }) => ({
        record: keyArgument(cleanupKey(id)),
        hook,
      }));
      await letGo({}, { lockToken }, records);
    },

    /**
     * The API has removed the runs.
     * @param now when it was asked (ms)
     * @returns `waiting` when a later deletion makes it due again
     */
    finish: ({ id, accepted }: Pick<Cleanup, 'id' | 'accepted'>, now: number) =>
      keyRepair.cleanup(id, () => finish(KEYS, { id, accepted, now, ...PREFIXES })),

    fail(cleanup: Cleanup, failure: CleanupFailure) {
      const { id, accepted } = cleanup;
      const args = {
        ...{ id, accepted, deadLetters, ...failure },
        retryAt: failure.retryAt ?? '',
        ended: failure.ended === true,
        removal: failure.removal ?? '',
        ...PREFIXES,
      };
      return mended(cleanup, () => fail(recordKeys(id), args));
    },
  };
}

/** Detects a change by another process since the cleanup was read. */
function asRead({ accepted, due, retry_at, outages }: Cleanup) {
  return { accepted, due, retryAt: retry_at, outages };
}
