/** Milliseconds since 1970. Handed along so that tests can move it. */
export type Clock = () => number;

/**
 * CDS's timestamps are nanoseconds, beyond what JavaScript's integers hold. Ids of executions are
 * microseconds, and id × 1000 prints and parses exactly (until 2116).
 */
export function timestampOfId(id: string | number): number {
  return Number(id) * 1000;
}

/** The nanoseconds of `ms`, for a processing timestamp. */
export function timestampOfMs(ms: number): number {
  return ms * 1_000_000;
}

/**
 * From the timestamp of a URL to the id of the execution; undefined for what no execution of ours
 * can have.
 */
export function idOfTimestamp(timestamp: string): string | undefined {
  return /^([1-9]\d{0,15})000$/.exec(timestamp)?.[1];
}

/** ISO 8601; "" for what is no time. */
export function isoOf(ms: number): string {
  return ms > 0 && ms <= 8.64e15 ? new Date(ms).toISOString() : '';
}
