import type { Cleanup, Clock } from '@cds/hooks-store';
import type { HookOwnership } from '../executions/hook-ownership';
import { notBefore } from './clean-up-branch';
import type { CleanupStore } from './cleanup-store';
import { type CleanupOutcome, type RemoveRuns } from './remove-runs';

export interface CleanUpTogetherDeps {
  store: Pick<CleanupStore, 'readAll' | 'beginDue'>;
  ownership: Pick<HookOwnership, 'newHolder' | 'releaseAll'>;
  removeRuns: RemoveRuns;
  now: Clock;
  retryDelayMs: number;
}

/** What is left of a group. */
export interface LeftCleanups {
  /** To be done each by itself, not before. */
  alone: { id: string; outcome: CleanupOutcome & { kind: 'wait' } }[];
  /** To be tried together again at once: they took too long. */
  more: string[];
  /** The same in a moment: others hold their hooks. */
  busy: string[];
}

/**
 * Hooks are held, and marks of what is under way count, for no longer than this before their call. What is accepted
 * meanwhile waits, and would not be looked at.
 */
const HELD_MS = 250;

/**
 * Removes the runs of branches that are due at the same moment, by fewer round trips than one by one: their hooks are
 * taken by one script, one call follows the other, and the hooks are given back together.
 *
 * Only the plain ones are done so, for whose branch no delivery may bring news; all others are left to be done alone.
 *
 * @returns a function of ids, of those that are gone, too; it resolves to what is left
 */
export function createCleanUpTogether(deps: CleanUpTogetherDeps) {
  const { store, ownership, removeRuns, now, retryDelayMs } = deps;

  const notBeforeOf = (cleanup: Cleanup) => notBefore(cleanup, now(), retryDelayMs);

  function leaveAlone(left: LeftCleanups, cleanup: Cleanup): void {
    const until = notBeforeOf(cleanup);
    left.alone.push({ id: cleanup.id, outcome: { kind: 'wait', until, forApi: false } });
  }

  /** One after the other. */
  async function removeAll(
    begun: readonly Cleanup[],
    holder: string,
    left: LeftCleanups,
  ): Promise<void> {
    const began = performance.now();
    let isAway = false;
    for (const cleanup of begun) {
      // Each is to find out by itself when it is to try again.
      if (isAway) leaveAlone(left, cleanup);
      else if (performance.now() - began > HELD_MS) left.more.push(cleanup.id);
      else {
        const stillMine = async () => (await store.beginDue(holder, [cleanup]))[0] === 'begun';
        const outcome = await removeRuns(cleanup, cleanup, stillMine);
        if (outcome.kind === 'end') continue;
        left.alone.push({ id: cleanup.id, outcome });
        isAway = outcome.forApi;
      }
    }
  }

  return async function cleanUpTogether(ids: readonly string[]): Promise<LeftCleanups> {
    const left: LeftCleanups = { alone: [], more: [], busy: [] };
    const due: Cleanup[] = [];
    for (const cleanup of await store.readAll(ids)) {
      if (cleanup.status !== 'waiting') continue;
      if (notBeforeOf(cleanup) > now()) leaveAlone(left, cleanup);
      else due.push(cleanup);
    }
    if (due.length === 0) return left;

    const uuids = [...new Set(due.map(({ hook }) => hook))];
    const claims = { holder: ownership.newHolder(), uuids };
    try {
      const begun: Cleanup[] = [];
      const results = await store.beginDue(claims.holder, due);
      for (const [index, cleanup] of due.entries()) {
        if (results[index] === 'begun') begun.push(cleanup);
        else if (results[index] === 'busy') left.busy.push(cleanup.id);
        else leaveAlone(left, cleanup);
      }
      await removeAll(begun, claims.holder, left);
      return left;
    } finally {
      await ownership.releaseAll(claims);
    }
  };
}

export type CleanUpTogether = ReturnType<typeof createCleanUpTogether>;
