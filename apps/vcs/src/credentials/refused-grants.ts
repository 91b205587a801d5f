import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';

const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 60_000;

/**
 * Bitbucket locks out a consumer that keeps sending a dead grant, and then refuses living grants in
 * the same words. A refused grant is sent again, since it may live, but ever more rarely.
 */
export function createRefusedGrants() {
  const refused = new LRUCache<string, { message: string; pauseMs: number; until: number }>({
    max: 1000,
  });
  const idOf = (refreshToken: string) => createHash('sha256').update(refreshToken).digest('hex');
  return {
    /** Bitbucket's message while the token should not be sent; undefined when it may be. */
    reasonToWait(refreshToken: string): string | undefined {
      const last = refused.get(idOf(refreshToken));
      return last && performance.now() < last.until ? last.message : undefined;
    },
    /** Each refusal of the same token doubles the pause, from 1 s to 60 s. */
    add(refreshToken: string, message: string): void {
      const id = idOf(refreshToken);
      const last = refused.get(id);
      const pauseMs = last ? Math.min(last.pauseMs * 2, MAX_PAUSE_MS) : FIRST_PAUSE_MS;
      refused.set(id, { message, pauseMs, until: performance.now() + pauseMs });
    },
  };
}
