const WINDOW_MINUTES = 60;
const MINUTE_MS = 60_000;

/** A number of calls, and how many minutes ago they were made. */
export type CallsAgo = readonly [minutesAgo: number, calls: number];

/**
 * Calls of the last hour by the minute: at most 61 numbers. The oldest minute is over in part.
 * Counts minutes from the start of the process: a clock that is set changes nothing.
 */
export function createMinuteCounts(counted: Iterable<CallsAgo> = []) {
  const perMinute = new Map<number, number>();

  function add(calls: number, minutesAgo = 0): void {
    const minute = thisMinute() - minutesAgo;
    const before = perMinute.get(minute);
    // Once a minute.
    if (before === undefined) forget();
    perMinute.set(minute, (before ?? 0) + calls);
  }

  function forget(): void {
    const oldest = thisMinute() - WINDOW_MINUTES;
    for (const minute of perMinute.keys()) if (minute < oldest) perMinute.delete(minute);
  }

  /** Oldest first. */
  function entries(): CallsAgo[] {
    forget();
    const now = thisMinute();
    return [...perMinute]
      .map(([minute, calls]) => [now - minute, calls] as const)
      .sort(([a], [b]) => b - a);
  }

  for (const [minutesAgo, calls] of counted) add(calls, minutesAgo);
  return { add, entries, sum: () => entries().reduce((sum, [, calls]) => sum + calls, 0) };
}

function thisMinute(): number {
  return Math.floor(performance.now() / MINUTE_MS);
}
