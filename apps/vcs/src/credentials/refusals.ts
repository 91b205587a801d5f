import { hash } from 'node:crypto';
import { maxEntries } from '@cds/service';
import { LRUCache } from 'lru-cache';

const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 60_000;
/** A refusal that is older does not make the next pause longer. */
const FORGET_MS = 10 * 60_000;

export type Refusals = ReturnType<typeof createRefusals>;

/**
 * Secrets that Bitbucket refused. It locks out who keeps sending a dead one, and then refuses
 * living ones in the same words. So a refused secret is sent again, since it may live, but ever
 * more rarely.
 */
export function createRefusals() {
  const refused = new LRUCache<string, { message: string; pauseMs: number; until: number }>({
    ...maxEntries(1000),
    ttl: FORGET_MS,
  });
  return {
    /** Why the secret should not be sent now; undefined when it may be. */
    reasonToWait(secret: string): string | undefined {
      const last = refused.get(hash('sha256', secret));
      return last && performance.now() < last.until ? last.message : undefined;
    },
    /** Each refusal of the same secret doubles the pause, from 1 s to 60 s. */
    add(secret: string, message: string): void {
      const id = hash('sha256', secret);
      const last = refused.get(id);
      const now = performance.now();
      // Calls that were made together are refused together.
      if (last && now < last.until) return;
      const pauseMs = last ? Math.min(last.pauseMs * 2, MAX_PAUSE_MS) : FIRST_PAUSE_MS;
      refused.set(id, { message, pauseMs, until: now + pauseMs });
    },
  };
}
