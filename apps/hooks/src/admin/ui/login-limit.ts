import { LRUCache } from 'lru-cache';
import { networkOf } from '../../webhooks/refusal-limit';

/** Wrong passwords of an address in the window; then even the right one is refused. */
export const MAX_WRONG = 10;
const WINDOW_MS = 5 * 60_000;
/** Addresses that are counted. Beyond that the least recent one starts again. */
const MAX_ADDRESSES = 10_000;

export type LoginLimit = ReturnType<typeof createLoginLimit>;

/** Counts wrong passwords, for each address in this process. */
export function createLoginLimit() {
  const counts = new LRUCache<string, { wrong: number; until: number }>({ max: MAX_ADDRESSES });

  return {
    /** Whole seconds until the limit ends; undefined when the address is not over it. */
    retryAfter(address: string): number | undefined {
      const count = counts.get(networkOf(address));
      const left = count ? count.until - performance.now() : 0;
      if (!count || left <= 0 || count.wrong < MAX_WRONG) return undefined;
      return Math.ceil(left / 1_000);
    },

    /** @returns how many there are in this window */
    wrong(address: string): number {
      const now = performance.now();
      const before = counts.get(networkOf(address));
      const count =
        before && before.until > now
          ? { ...before, wrong: before.wrong + 1 }
          : { wrong: 1, until: now + WINDOW_MS };
      counts.set(networkOf(address), count);
      return count.wrong;
    },
  };
}
