import { setTimeout as sleep } from 'node:timers/promises';
import { abortable } from '@cds/network';
import type { Logger } from '@cds/service';
import { CdsError } from '@cds/wire';
import type { Grant } from './grant';
import type { GrantStore } from './grant-store';

const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 2_000;

/** How long a caller waits for its grant to be stored. */
const WAIT_MS = 20_000;

export type UnsavedGrants = ReturnType<typeof createUnsavedGrants>;

/**
 * New pairs that are not in Redis yet. A refresh uses the old pair up. While Redis refuses the new
 * one, it stays in memory, saving is retried, and no request uses it. Only a process that is killed
 * then loses it.
 */
export function createUnsavedGrants(deps: { store: Pick<GrantStore, 'write'>; logger: Logger }) {
  const pending = new Map<string, Promise<void>>();
  const stop = new AbortController();

  async function retrySave(key: string, grant: Grant): Promise<void> {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
      try {
        return await deps.store.write(key, grant);
      } catch (error) {
        if (pauseMs === FIRST_PAUSE_MS)
          deps.logger.error(
            { err: error, key },
            'renewed grant not stored in Redis: bring Redis back before this process ends, or link the project again',
          );
        await sleep(pauseMs, undefined, { signal: stop.signal });
      }
    }
  }

  /** Resolves when no grant of this key is unsaved. Rejects with 503 after 20 s. */
  async function settled(key: string): Promise<void> {
    const saving = pending.get(key);
    if (saving) await abortable(saving, AbortSignal.timeout(WAIT_MS), redisNeeded);
  }

  return {
    /** Resolves when the grant is in Redis; rejects like {@link settled}, but saving goes on. */
    save(key: string, grant: Grant): Promise<void> {
      const saving = retrySave(key, grant).finally(() => pending.delete(key));
      saving.catch(() => undefined);
      pending.set(key, saving);
      return settled(key);
    },
    settled,
    /** Retries for at most `deadlineMs`, then gives up. */
    async close(deadlineMs: number): Promise<void> {
      const timer = setTimeout(() => stop.abort(), deadlineMs);
      await Promise.allSettled(pending.values());
      clearTimeout(timer);
    },
  };
}

/** A call needs a new access token while Redis, without which no grant is renewed, is away. */
export function redisNeeded(cause?: unknown): CdsError {
  return new CdsError('unavailable', {
    from:
      'the access token has to be renewed, which needs Redis, and Redis does not answer: ' +
      'bring Redis back and repeat the call',
    cause,
  });
}
