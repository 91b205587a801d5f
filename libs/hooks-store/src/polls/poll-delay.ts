/** `vcs` reads a repository once a minute at most, whatever the API asks for. */
const SHORTEST_DELAY_MS = 10_000;
/** Used where the API asks for nothing. */
export const DEFAULT_DELAY_MS = 60_000;
export const MAX_DELAY_MS = 3_600_000;
/** After a refusal, which will hardly change in a minute. */
export const REFUSED_DELAY_MS = 300_000;

/**
 * The pause to the next poll (ms): what the API asks for, within bounds; for a repository webhook
 * the configured one if longer.
 */
export function pollDelayMs(
  intervalSeconds: number | undefined,
  leastSeconds: number,
  shortestMs = SHORTEST_DELAY_MS,
): number {
  const asked = intervalSeconds === undefined ? DEFAULT_DELAY_MS : intervalSeconds * 1_000;
  const bounded = Math.min(Math.max(asked, shortestMs), MAX_DELAY_MS);
  return Math.max(bounded, leastSeconds * 1_000);
}
