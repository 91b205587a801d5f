import type { Cleanup, Clock, HeldLocks, HookLock, CleanupStore } from '@cds/hooks-store';
import type { Logger } from '@cds/service';
import { notBefore } from './clean-up-branch';
import type { CleanupOutcome, RemoveRuns } from './remove-runs';

export interface CleanUpTogetherDeps {
  store: Pick<CleanupStore, 'readAll' | 'beginDue' | 'letGo'>;
  hookLock: Pick<HookLock, 'newToken' | 'releaseAll' | 'releaseSome' | 'isDead'>;
  removeRuns: RemoveRuns;
  logger: Logger;
  now: Clock;
  retryDelayMs: number;
}

/** What is left of a group. */
export interface LeftCleanups {
  /** To be done each by itself, not before. */
  alone: { id: string; outcome: CleanupOutcome & { kind: 'wait' } }[];
  /** Of one hook, to be tried together again at once: they took too long. */
  more: string[];
  /** To be tried together again in a moment: others hold their hooks. */
  busy: string[];
}

/** Hooks are held for no longer than this by those whose call has not begun. */
const HELD_MS = 250;
/** What is accepted after the last look may bring a branch back: none is older than this when a call begins. */
const LOOKED_MS = 20;

/**
 * Removes the runs of branches that are due at the same moment, by fewer round trips than one by one: their hooks are
 * taken by one script, one call follows the other, and the hooks are given back together.
 *
 * Only the plain ones are done so, for whose branch no delivery may bring news; all others are left to be done alone.
 *
 * @returns a function of ids, of those that are gone, too; it resolves to what is left
 */
export function createCleanUpTogether(deps: CleanUpTogetherDeps) {
  const { store, hookLock, removeRuns, now, retryDelayMs } = deps;

  const notBeforeOf = (cleanup: Cleanup) => notBefore(cleanup, now(), retryDelayMs);

  function leaveAlone(left: LeftCleanups, cleanup: Cleanup): void {
    const until = notBeforeOf(cleanup);
    left.alone.push({ id: cleanup.id, outcome: { kind: 'wait', until, forApi: false } });
  }

  /**
   * Where Redis does not take it, the API is asked for them in any case, and pushes wait for that.
   * Never throws.
   */
  async function notAskedFor(lockToken: string, cleanups: readonly Cleanup[]): Promise<void> {
    try {
      await store.letGo(lockToken, cleanups);
    } catch (error) {
      deps.logger.debug({ error }, 'cleanups that were begun stay marked');
    }
  }

  /** Begins with these, also anew. @returns those for which nothing is to be looked at */
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

  /** One after the other, for as long as that is quick. */
  async function removeAll(
    due: readonly Cleanup[],
    { lockToken, uuids }: HeldLocks,
    left: LeftCleanups,
    leave: () => Promise<void>,
  ): Promise<void> {
    let lookedAt = performance.now();
    let rest = await begin(due, lockToken, left);
    let called = '';
    let isCalling = false;
    const letGo = async (together: string): Promise<void> => {
      const notAsked = rest;
      rest = [];
      for (const cleanup of notAsked) {
        if (cleanup.hook === together) left.more.push(cleanup.id);
        else leaveAlone(left, cleanup);
      }
      const others = uuids.filter((uuid) => !isCalling || uuid !== called);
      await notAskedFor(lockToken, notAsked);
      await hookLock.releaseSome({ lockToken, uuids: others });
      await leave();
    };
    const timer = setTimeout(() => void letGo(called), HELD_MS);
    try {
      for (;;) {
        if (performance.now() - lookedAt > LOOKED_MS && rest.length > 0) {
          lookedAt = performance.now();
          const looking = rest;
          const begun = await begin(looking, lockToken, left);
          if (rest === looking) rest = begun;
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
        // Each of the others is to find out by itself when it is to try again.
        if (outcome.forApi) void letGo('');
      }
    } finally {
      clearTimeout(timer);
      await notAskedFor(lockToken, rest);
    }
  }

  /**
   * @param ids also of those that are gone
   * @param leave told of those that are left as soon as their hooks were given back; never rejects
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
