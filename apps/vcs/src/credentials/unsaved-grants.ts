import { setTimeout as sleep } from 'node:timers/promises';
import { abortable } from '@cds/network';
import type { Logger } from '@cds/service';
import type { Grant } from './grant';
import type { GrantStore } from './grant-store';
import { redisNeeded } from './redis-needed';

const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 2_000;

/** How long a caller waits for its grant to be stored. */
const WAIT_MS = 20_000;

/** New pairs that are not in Redis yet. */
export interface UnsavedGrants {
  /** Resolves when the grant is in Redis. Rejects with 503 after 20 s, but saving goes on. */
  save(key: string, grant: Grant): Promise<void>;
  /** Resolves when no grant of this key is unsaved; rejects like {@link save}. */
  settled(key: string): Promise<void>;
  /** Retries for at most `deadlineMs`, then gives up. */
  close(deadlineMs: number): Promise<void>;
}

/**
 * A refresh uses the old pair up. While Redis refuses the new one, it stays in memory, saving is
 * retried, and no request uses it. Only a process that is killed then loses it.
 */
export function createUnsavedGrants(deps: {
  store: Pick<GrantStore, 'write'>;
  logger: Logger;
}): UnsavedGrants {
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

  async function settled(key: string): Promise<void> {
    const saving = pending.get(key);
    if (saving) await abortable(saving, AbortSignal.timeout(WAIT_MS), redisNeeded);
  }

  return {
    save(key, grant) {
      const saving = retrySave(key, grant).finally(() => pending.delete(key));
      saving.catch(() => undefined);
      pending.set(key, saving);
      return settled(key);
    },
    settled,
    async close(deadlineMs) {
      const timer = setTimeout(() => stop.abort(), deadlineMs);
      await Promise.allSettled(pending.values());
      clearTimeout(timer);
    },
  };
}
