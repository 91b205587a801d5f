/** Milliseconds since 1970; tests replace it. */
export type Clock = () => number;

/**
 * CDS's timestamps are nanoseconds, beyond JavaScript's integers. Ids of executions are
 * microseconds, and id × 1000 prints and parses exactly (until 2116).
 */
export function timestampOfId(id: string | number): number {
  return Number(id) * 1000;
}

/** From milliseconds to nanoseconds. */
export function timestampOfMs(ms: number): number {
  return ms * 1_000_000;
}

/** From the timestamp of a URL to the id of an execution; undefined where there can be none. */
export function idOfTimestamp(timestamp: string): string | undefined {
  return /^([1-9]\d{0,15})000$/.exec(timestamp)?.[1];
}

/** ISO 8601; "" for what is no time. */
export function isoOf(ms: number): string {
  return ms > 0 && ms <= 8.64e15 ? new Date(ms).toISOString() : '';
}
