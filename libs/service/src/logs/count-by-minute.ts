const EVERY_MS = 60_000;

/**
 * Counts events by key, for a log that names each key once a minute.
 *
 * @returns how many there were since the last line of this key; undefined while it is too early
 */
export function countByMinute(): (key: string) => number | undefined {
  const counts = new Map<string, { count: number; loggedAt: number }>();
  return (key) => {
    const state = counts.get(key) ?? { count: 0, loggedAt: -Infinity };
    counts.set(key, state);
    state.count += 1;
    const now = performance.now();
    if (now - state.loggedAt < EVERY_MS) return undefined;
    const { count } = state;
    Object.assign(state, { count: 0, loggedAt: now });
    return count;
  };
}
