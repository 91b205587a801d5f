import { keyArgument } from '@cds/redis';
import type { Redis } from 'ioredis';
import { branchRef } from '../changes/change-name';
import {
  cleanupKey,
  hookKeys,
  KEYS,
  PREFIXES,
  recordKeys,
  WORKFLOW_INDEX_FIELD,
  workflowHooksKey,
} from '../redis-keys';
import type { KeyRepair } from '../unreadable/set-aside';
import type { Cleanup } from './cleanup';
import type { BegunCleanup, CleanupFailure, KeptFailure } from './cleanup-results';
import { BEGIN_DUE_CLEANUPS } from './due-cleanups.lua';
import {
  BEGIN_CLEANUP,
  FAIL_CLEANUP,
  FINISH_CLEANUP,
  CANCEL_BEGUN_CLEANUPS,
} from './process-cleanup.lua';

/** Workflows with more hooks are checked one by one, so that no script is long. */
const MAX_HOOKS_PER_WORKFLOW = 20;

/** Begins and ends cleanups around the API call that removes the runs. */
export function createCleanupProcessing(deps: {
  redis: Redis;
  deadLetters: number;
  keyRepair: KeyRepair;
}) {
  const { redis, deadLetters, keyRepair } = deps;
  const begin = BEGIN_CLEANUP.on(redis);
  const beginDue = BEGIN_DUE_CLEANUPS.on(redis);
  const letGo = CANCEL_BEGUN_CLEANUPS.on(redis);
  const finish = FINISH_CLEANUP.on(redis);
  const fail = FAIL_CLEANUP.on(redis);
  const mended = <T>(of: Cleanup, work: () => Promise<T>): Promise<T> =>
    keyRepair.hook(of.hook, () => keyRepair.cleanup(of.id, work));

  return {
    /**
     * The last check before the call: the hook lock is ours, the cleanup is due as read, and the
     * hooks of its workflow have nothing new.
     * @param lastSeen hook → id of its last delivery that was checked, or ""
     */
    begin(
      lockToken: string,
      cleanup: Cleanup,
      lastSeen: ReadonlyMap<string, string>,
    ): Promise<'ok' | 'lost' | 'changed' | 'more'> {
      const { id, hook } = cleanup;
      const keys = { record: cleanupKey(id), owner: hookKeys(hook).owner };
      const seen = [...lastSeen].map(([uuid, last]) => ({
        waiting: keyArgument(hookKeys(uuid).waiting),
        lastSeen: last,
      }));
      return mended(cleanup, () => begin(keys, { lockToken, hook, ...asRead(cleanup) }, seen));
    },

    /**
     * Takes the locks and begins the cleanups that need no check of deliveries first.
     * @param lockToken for all hooks that are free
     * @returns a result for each; `other` needs `begin`
     */
    beginDue(lockToken: string, cleanups: readonly Cleanup[]): Promise<BegunCleanup[]> {
      const args = {
        lockToken,
        workflowField: WORKFLOW_INDEX_FIELD,
        maxHooks: MAX_HOOKS_PER_WORKFLOW,
        ...PREFIXES,
      };
      return beginDue(
        {},
        args,
        cleanups.map((cleanup) => ({
          record: keyArgument(cleanupKey(cleanup.id)),
          hook: cleanup.hook,
          workflowHooks: keyArgument(workflowHooksKey(cleanup.project, cleanup.workflow)),
          ref: branchRef(cleanup.branch),
          ...asRead(cleanup),
        })),
      );
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
    finish: (
      { id, accepted }: Pick<Cleanup, 'id' | 'accepted'>,
      now: number,
    ): Promise<'unknown' | 'waiting' | 'ok'> =>
      keyRepair.cleanup(id, () => finish(KEYS, { id, accepted, now, ...PREFIXES })),

    async fail(cleanup: Cleanup, failure: CleanupFailure): Promise<KeptFailure> {
      const { id, accepted } = cleanup;
      const { now, nbErrors, error, outages } = failure;
      const args = {
        id,
        accepted,
        now,
        nbErrors,
        error,
        outages,
        deadLetters,
        retryAt: failure.retryAt ?? '',
        isRefusal: failure.refused,
        isEnded: failure.ended === true,
        removal: failure.removal ?? '',
        ...PREFIXES,
      };
      const reply = await mended(cleanup, () => fail(recordKeys(id), args));
      return { kept: reply.kind, dropped: reply.kind === 'ok' ? reply.dropped : 0 };
    },
  };
}

/** Detects a change by another process since the cleanup was read. */
function asRead({ accepted, due, retry_at, outages }: Cleanup) {
  return { accepted, due, retryAt: retry_at, outages };
}
