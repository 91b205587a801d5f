/** 0 for no `then` (ms), or one in the future, by the clock of another replica. */
export function secondsSince(then: number | undefined): number {
  return then === undefined ? 0 : Math.max(0, (Date.now() - then) / 1_000);
}
