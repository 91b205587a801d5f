import { deliveriesOf, type History, type Violation } from './history';

/** Recovery takes a second or two; a machine that is slow and busy gets a minute. */
export const RECOVERY_WITHIN_MS = 60_000;

export interface RecoveryCheck {
  violations: Violation[];
  /**
   * From the fault's end to the run of the first delivery sent after it, of the slowest hook (ms).
   */
  firstRunMs: number | undefined;
  /** From the fault's end to the last run of what was accepted before it (ms). */
  drainedMs: number | undefined;
}

/** Whether everything worked again by itself soon after the fault was over. */
export function checkRecovery(history: History): RecoveryCheck {
  const servedAt = new Map<string, number>();
  for (const run of history.runs)
    if (run.servedAt !== undefined && !servedAt.has(`${run.hook} ${run.hash}`))
      servedAt.set(`${run.hook} ${run.hash}`, run.servedAt);

  const firstOfHook = new Map<string, number>();
  let drained: number | undefined;
  const end = history.faultEndedAt;
  for (const { hook, changes, fate, authentic, sentAt, acceptedAt } of deliveriesOf(history)) {
    if (fate !== 'accepted' || !authentic) continue;
    for (const change of changes) {
      const at = change.kind === 'push' ? servedAt.get(`${hook} ${change.hash}`) : undefined;
      // A delivery that comes when its change has run already says nothing.
      if (at === undefined || at < sentAt) continue;
      if (sentAt >= end) firstOfHook.set(hook, Math.min(firstOfHook.get(hook) ?? Infinity, at));
      else if (acceptedAt <= end) drained = Math.max(drained ?? 0, at);
    }
  }
  const firstRunMs = firstOfHook.size ? Math.max(...firstOfHook.values()) - end : undefined;
  const drainedMs = drained === undefined ? undefined : Math.max(0, drained - end);
  const violations: Violation[] = [];
  const tooLong = (ms: number | undefined, what: string): void => {
    if (ms !== undefined && ms > RECOVERY_WITHIN_MS)
      violations.push({ kind: 'recovery', sentence: `${what} ${ms} ms after the fault's end.` });
  };
  tooLong(firstRunMs, 'The first new delivery of a hook had its run only');
  tooLong(drainedMs, 'What had been accepted before was worked off only');
  return { violations, firstRunMs, drainedMs };
}
