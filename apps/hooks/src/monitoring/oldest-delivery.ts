/** Seconds from then (ms) until now; 0 when there is no then, or a clock of another replica says that it is yet to come. */
export function secondsSince(then: number | undefined): number {
  return then === undefined ? 0 : Math.max(0, (Date.now() - then) / 1_000);
}
