import { defineScript, keyArgument } from '@cds/redis';
import type { Redis } from 'ioredis';
import { branchRef } from '../changes/change-name';
import type { NearCleanup } from './group-cleanups';
import type {
  BegunCleanup,
  Cancelled,
  CleanupFailure,
  KeptFailure,
  MadeDue,
} from './cleanup-results';
import { toObject } from './to-object';
import {
  CLEANUP_PREFIX,
  cleanupKey,
  HOOK_CLEANUPS_PREFIX,
  hookKeys,
  KEYS,
  OWNER_PREFIX,
  REFS_PREFIX,
  TASK_PREFIX,
  WAITING_PREFIX,
  WORKFLOW_INDEX_FIELD,
  workflowHooksKey,
} from '../redis-keys';
import { type Cleanup, parseCleanup } from './cleanup';
import { type Mend, NO_MEND } from '../unreadable/set-aside';
import {
  BEGIN_CLEANUP,
  CANCEL_BEFORE_PUSH,
  CANCEL_CLEANUP,
  FAIL_CLEANUP,
  FINISH_CLEANUP,
  LET_GO_CLEANUPS,
  MAKE_CLEANUP_DUE,
  POSTPONE_CLEANUP,
  REMOVE_CLEANUP,
  SCHEDULE_CLEANUP,
  SET_CLEANUP_STOPPED,
} from './cleanup-scripts.lua';
import { BEGIN_DUE_CLEANUPS, DUE_WITHIN, READ_CLEANUPS } from './due-cleanups.lua';

const BROUGHT_FORWARD_AT_ONCE = 200;
/** By one script, so that none holds Redis up. */
const READ_AT_ONCE = 500;
/** What a script that begins many looks at for each of them. */
const MOST_HOOKS_OF_A_WORKFLOW = 20;
const PREFIXES = [CLEANUP_PREFIX, HOOK_CLEANUPS_PREFIX].map(keyArgument);
const SETS = [KEYS.cleanups, KEYS.stoppedCleanups, KEYS.failedCleanups];

export type CleanupStore = ReturnType<typeof createCleanupStore>;

/** The scheduled cleanups in Redis. The record decides; BullMQ's job is only its alarm clock. */
export function createCleanupStore(deps: {
  redis: Redis;
  /** Cleanups that failed for good stay visible up to this many; then the oldest go. */
  deadLetters: number;
  mend?: Mend;
}) {
  const { redis, deadLetters, mend = NO_MEND } = deps;
  const mended = <T>(of: Pick<Cleanup, 'id' | 'hook'>, work: () => Promise<T>): Promise<T> =>
    mend.hook(of.hook, () => mend.cleanup(of.id, work));
  const scheduleScript = defineScript(redis, 'cdsbbScheduleCleanup', SCHEDULE_CLEANUP, 5);
  const cancelScript = defineScript(redis, 'cdsbbCancelCleanup', CANCEL_CLEANUP, 4);
  const removeScript = defineScript(redis, 'cdsbbRemoveCleanup', REMOVE_CLEANUP, 3);
  const finishScript = defineScript(redis, 'cdsbbFinishCleanup', FINISH_CLEANUP, 3);
  const letGoScript = defineScript(redis, 'cdsbbLetGoCleanups', LET_GO_CLEANUPS, 0);
  const beginScript = defineScript(redis, 'cdsbbBeginCleanup', BEGIN_CLEANUP, 2);
  const beginDueScript = defineScript(redis, 'cdsbbBeginDueCleanups', BEGIN_DUE_CLEANUPS, 0);
  const readScript = defineScript(redis, 'cdsbbReadCleanups', READ_CLEANUPS, 0);
  const dueWithinScript = defineScript(redis, 'cdsbbDueWithin', DUE_WITHIN, 1);
  const beforePushScript = defineScript(redis, 'cdsbbCancelBeforePush', CANCEL_BEFORE_PUSH, 4);
  const postponeScript = defineScript(redis, 'cdsbbPostponeCleanup', POSTPONE_CLEANUP, 3);
  const failScript = defineScript(redis, 'cdsbbFailCleanup', FAIL_CLEANUP, 4);
  const dueScript = defineScript(redis, 'cdsbbMakeCleanupDue', MAKE_CLEANUP_DUE, 2);
  const stopScript = defineScript(redis, 'cdsbbStopCleanup', SET_CLEANUP_STOPPED, 4);

  return {
    /** For the holder of the hook. @returns `back` when a push after that deletion was removed before its turn */
    async schedule(
      holder: string,
      of: Pick<
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
      >,
    ): Promise<'ok' | 'lost' | 'back'> {
      return (await mended(of, () =>
        scheduleScript(
          [...SETS, hookKeys(of.hook).owner, KEYS.broughtBack],
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
            of.requestId,
          ],
        ),
      )) as 'ok' | 'lost' | 'back';
    },

    /** For the holder of the hook whose branch is back. */
    async cancel(
      holder: string,
      of: Pick<Cleanup, 'id' | 'hook' | 'branch'> & { olderId?: string },
    ): Promise<Cancelled> {
      const olderId = of.olderId ?? of.id;
      const [kind, detail = ''] = (await mended(of, () =>
        cancelScript(
          [...SETS, hookKeys(of.hook).owner],
          [holder, ...PREFIXES, of.id, of.hook, of.branch, keyArgument(OWNER_PREFIX), olderId],
        ),
      )) as ['none' | 'lost'] | ['cancelled' | 'busy' | 'unsure', string];
      if (kind === 'busy') return { kind, hook: detail };
      if (kind === 'unsure') return { kind, id: detail };
      return kind === 'cancelled' ? { kind, requestId: detail } : { kind };
    },

    /**
     * For whoever is about to remove a push that waits.
     * @param of.push id of its execution
     * @returns how many were cancelled
     */
    async cancelBeforePush(
      of: Pick<Cleanup, 'id' | 'hook' | 'branch'> & { olderId: string; push: string },
    ): Promise<number> {
      return (await mended(of, () =>
        beforePushScript(
          [...SETS, KEYS.broughtBack],
          [...PREFIXES, of.id, of.hook, of.branch, of.push, of.olderId],
        ),
      )) as number;
    },

    /** For the holder of the hook: not before `due` (ms). */
    async postpone(
      holder: string,
      cleanup: Cleanup,
      due: number,
    ): Promise<'ok' | 'lost' | 'changed'> {
      return (await mended(cleanup, () =>
        postponeScript(
          [KEYS.cleanups, cleanupKey(cleanup.id), hookKeys(cleanup.hook).owner],
          [cleanup.id, holder, cleanup.accepted, due],
        ),
      )) as 'ok' | 'lost' | 'changed';
    },

    async read(id: string): Promise<Cleanup | undefined> {
      const hash = await mend.cleanup(id, () => redis.hgetall(cleanupKey(id)));
      return parseCleanup(id, hash);
    },

    async remove(id: string): Promise<'unknown' | 'ok'> {
      return (await mend.cleanup(id, () => removeScript([...SETS], [id, ...PREFIXES]))) as
        'unknown' | 'ok';
    },

    /**
     * The API has removed the runs.
     * @param now ms
     * @returns `waiting` when a later deletion makes it due another time
     */
    async finish(
      { id, accepted }: Pick<Cleanup, 'id' | 'accepted'>,
      now: number,
    ): Promise<'unknown' | 'waiting' | 'ok'> {
      const args = [id, ...PREFIXES, accepted, now];
      return (await mend.cleanup(id, () => finishScript([...SETS], args))) as
        'unknown' | 'waiting' | 'ok';
    },

    /** For cleanups that this holder began, and for which the API was not asked. */
    async letGo(holder: string, cleanups: readonly Pick<Cleanup, 'id' | 'hook'>[]): Promise<void> {
      if (cleanups.length === 0) return;
      const of = cleanups.flatMap(({ id, hook }) => [keyArgument(cleanupKey(id)), hook]);
      await letGoScript([], [holder, ...of]);
    },

    /**
     * The last look before the call: still ours, still due, nothing new at the hooks of the workflow.
     * @param lastSeen hook → id of the last delivery that was looked at, or ""
     */
    async begin(
      holder: string,
      cleanup: Cleanup,
      lastSeen: ReadonlyMap<string, string>,
    ): Promise<'ok' | 'lost' | 'changed' | 'more'> {
      const seen = [...lastSeen].flatMap(([uuid, id]) => [keyArgument(hookKeys(uuid).waiting), id]);
      return (await mended(cleanup, () =>
        beginScript(
          [cleanupKey(cleanup.id), hookKeys(cleanup.hook).owner],
          [holder, cleanup.hook, ...asRead(cleanup), ...seen],
        ),
      )) as 'ok' | 'lost' | 'changed' | 'more';
    },

    async fail(cleanup: Cleanup, failure: CleanupFailure): Promise<KeptFailure> {
      const [kept, dropped = 0] = (await mended(cleanup, () =>
        failScript(
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
            deadLetters,
            failure.ended ? 1 : 0,
            failure.removal ?? '',
          ],
        ),
      )) as ['ok' | 'changed', number?];
      return { kept, dropped };
    },

    /**
     * Takes the hooks of those for which nothing is to be looked at first, and begins with them.
     * @param holder of all these hooks, where he gets them
     * @returns of each what came of it; `other` is for who looks at more, with `begin`
     */
    async beginDue(holder: string, cleanups: readonly Cleanup[]): Promise<BegunCleanup[]> {
      return (await beginDueScript(
        [],
        [
          holder,
          ...[OWNER_PREFIX, TASK_PREFIX, WAITING_PREFIX].map(keyArgument),
          ...[WORKFLOW_INDEX_FIELD, MOST_HOOKS_OF_A_WORKFLOW, keyArgument(REFS_PREFIX)],
          ...cleanups.flatMap((cleanup) => {
            const { id, hook, project, workflow } = cleanup;
            const hooks = keyArgument(workflowHooksKey(project, workflow));
            const ref = branchRef(cleanup.branch);
            return [keyArgument(cleanupKey(id)), hook, hooks, ref, ...asRead(cleanup)];
          }),
        ],
      )) as BegunCleanup[];
    },

    /** @returns when it is due (ms); undefined when there is none of this id */
    async setStopped(id: string, stopped: boolean, now: number): Promise<number | undefined> {
      const [kind, due] = (await mend.cleanup(id, () =>
        stopScript([...SETS, cleanupKey(id)], [id, stopped ? 1 : 0, now]),
      )) as [string, string?];
      return kind === 'ok' ? Number(due) : undefined;
    },

    /** For an operator who does not want to wait: due at `now` (ms) at the latest. */
    async makeDue(id: string, now: number): Promise<MadeDue> {
      const [kind, due] = (await mend.cleanup(id, () =>
        dueScript([KEYS.cleanups, cleanupKey(id)], [id, now]),
      )) as [MadeDue['kind'], string?];
      return kind === 'ok' ? { kind, due: Number(due) } : { kind };
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

    /** Those to act on later than `after` and not later than `until` (ms), the first ones first. */
    async dueWithin(of: {
      after: number;
      until: number;
      offset: number;
      limit: number;
    }): Promise<NearCleanup[]> {
      const { after, until, offset, limit } = of;
      const from = Number.isFinite(after) ? `(${after}` : '-inf';
      const named = (await dueWithinScript(
        [KEYS.cleanups],
        [from, until, offset, limit, keyArgument(CLEANUP_PREFIX)],
      )) as string[];
      const near: NearCleanup[] = [];
      for (let i = 0; i + 2 < named.length; i += 3)
        near.push({ id: named[i] ?? '', due: Number(named[i + 1]), hook: named[i + 2] ?? '' });
      return near;
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

    /** Those that are still there, in the same order. */
    async readAll(ids: readonly string[]): Promise<Cleanup[]> {
      const cleanups: Cleanup[] = [];
      for (let i = 0; i < ids.length; i += READ_AT_ONCE) {
        const some = ids.slice(i, i + READ_AT_ONCE);
        const records = (await readScript(
          [],
          some.map((id) => keyArgument(cleanupKey(id))),
        )) as string[][];
        for (const [index, record] of records.entries()) {
          const cleanup = parseCleanup(some[index] ?? '', toObject(record));
          if (cleanup) cleanups.push(cleanup);
        }
      }
      return cleanups;
    },
  };
}

/** What tells whether somebody else was at it since it was read. */
function asRead({ accepted, due, retry_at, outages }: Cleanup): (string | number)[] {
  return [accepted, due, retry_at, outages];
}
