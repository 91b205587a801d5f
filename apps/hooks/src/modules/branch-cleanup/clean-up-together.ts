import type { Cleanup, HeldLocks, HookLock } from '@cds/hooks-store';
import type { Resources } from '../../resources';
import { notBefore } from './clean-up-branch';
import { type CleanupOutcome, type RemoveRuns, waitUntil } from './remove-runs';

/** The cleanups of a group that were not done. */
export interface LeftCleanups {
  /** Each gets a job of its own. */
  alone: { id: string; outcome: CleanupOutcome & { kind: 'wait' } }[];
  /** Of one hook, to be tried together again at once: the group took too long. */
  more: string[];
  /** To be tried together again in a moment: their hooks are locked. */
  busy: string[];
}

/** How long hooks whose call has not begun stay locked. */
const HELD_MS = 250;
/** A push after the check may bring a branch back: a call begins no later than this after it. */
const CHECKED_MS = 20;

/**
 * Does cleanups that are due together in fewer round trips than one by one: one script locks their
 * hooks, calls follow one after the other, and one script unlocks the hooks.
 *
 * Cleanups whose branch a pending delivery may name are left to be done alone.
 */
export function createCleanUpTogether(
  resources: Pick<Resources, 'config' | 'logger' | 'now' | 'stores'>,
  { hookLock, removeRuns }: { hookLock: HookLock; removeRuns: RemoveRuns },
) {
  const { config, logger, now } = resources;
  const store = resources.stores.cleanups;

  const notBeforeOf = (cleanup: Cleanup) => notBefore(cleanup, now(), config);

  function leaveAlone(left: LeftCleanups, cleanup: Cleanup): void {
    left.alone.push({ id: cleanup.id, outcome: waitUntil(notBeforeOf(cleanup)) });
  }

  /** If Redis fails, the cleanups stay marked: they are repeated, and pushes wait. Never throws. */
  async function unmark(lockToken: string, cleanups: readonly Cleanup[]): Promise<void> {
    try {
      await store.letGo(lockToken, cleanups);
    } catch (error) {
      logger.debug({ error }, 'failed to unmark cleanups that were not done');
    }
  }

  /** Safe to repeat. @returns those that can be done together */
  async function begin(
    cleanups: readonly Cleanup[],
    lockToken: string,
    left: LeftCleanups,
  ): Promise<Cleanup[]> {
    const begun: Cleanup[] = [];
    const results = await store.beginDue(lockToken, cleanups);
    for (const [index, cleanup] of cleanups.entries()) {
      const [result, owner = ''] = results[index] ?? ['other'];
      if (result === 'begun') begun.push(cleanup);
      else if (result === 'busy' && !hookLock.isDead(owner)) left.busy.push(cleanup.id);
      else leaveAlone(left, cleanup);
    }
    return begun;
  }

  /** Calls the API for one after the other until it is slow. */
  async function removeAll(
    due: readonly Cleanup[],
    { lockToken, uuids }: HeldLocks,
    left: LeftCleanups,
    leave: () => Promise<void>,
  ): Promise<void> {
    let checkedAt = performance.now();
    let rest = await begin(due, lockToken, left);
    let called = '';
    let isCalling = false;
    const letGo = async (together: string): Promise<void> => {
      const notBegun = rest;
      rest = [];
      for (const cleanup of notBegun) {
        if (cleanup.hook === together) left.more.push(cleanup.id);
        else leaveAlone(left, cleanup);
      }
      const others = uuids.filter((uuid) => !isCalling || uuid !== called);
      await unmark(lockToken, notBegun);
      await hookLock.releaseSome({ lockToken, uuids: others });
      await leave();
    };
    const timer = setTimeout(() => void letGo(called), HELD_MS);
    try {
      for (;;) {
        if (performance.now() - checkedAt > CHECKED_MS && rest.length > 0) {
          checkedAt = performance.now();
          const checked = rest;
          const begun = await begin(checked, lockToken, left);
          if (rest === checked) rest = begun;
        }
        const cleanup = rest.shift();
        if (!cleanup) return;
        called = cleanup.hook;
        isCalling = true;
        const stillMine = async () =>
          (await store.beginDue(lockToken, [cleanup]))[0]?.[0] === 'begun';
        const outcome = await removeRuns(cleanup, cleanup, stillMine);
        isCalling = false;
        if (outcome.kind === 'end') continue;
        left.alone.push({ id: cleanup.id, outcome });
        // Each of the others gets a pause of its own.
        if (outcome.outages !== undefined) void letGo('');
      }
    } finally {
      clearTimeout(timer);
      await unmark(lockToken, rest);
    }
  }

  /**
   * @param ids may include those of cleanups that are gone
   * @param leave called with what is left after its hooks are unlocked; never rejects
   */
  return async function cleanUpTogether(
    ids: readonly string[],
    leave: (left: LeftCleanups) => Promise<void>,
  ): Promise<void> {
    const left: LeftCleanups = { alone: [], more: [], busy: [] };
    const leaveNow = async () => {
      const leaving = { ...left };
      Object.assign(left, { alone: [], more: [], busy: [] });
      await leave(leaving);
    };
    const due: Cleanup[] = [];
    for (const cleanup of await store.readAll(ids)) {
      if (cleanup.status !== 'waiting') continue;
      if (cleanup.unsure || notBeforeOf(cleanup) > now()) leaveAlone(left, cleanup);
      else due.push(cleanup);
    }
    if (due.length === 0) return leaveNow();
    const uuids = [...new Set(due.map(({ hook }) => hook))];
    const locks = { lockToken: hookLock.newToken(), uuids };
    try {
      await removeAll(due, locks, left, leaveNow);
    } finally {
      await hookLock.releaseAll(locks);
      await leaveNow();
    }
  };
}

export type CleanUpTogether = ReturnType<typeof createCleanUpTogether>;
