import type { Failure } from '../../queue/api-failure';

/**
 * The API posts an outgoing hook inside of its transaction, and commits 50 to 200 ms later. Until
 * then it shows a `Pending` run, no such hook, or no such run.
 */
export class NotYetError extends Error {
  override readonly name = 'NotYetError';
}

const BEFORE_COMMIT = 'Pending';
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5_000;
/** A minute of pauses in all. Counted, so that no jump of a clock changes it. */
export const MAX_NOT_YET = 18;

/** @param times that the API was asked before */
export function notYetPauseMs(times: number): number {
  return Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(times, 20));
}

/** @throws NotYetError when the API shows a run as it was before the commit */
export function checkIsThere(run: { status: string; hookRun: unknown }): void {
  if (run.status === BEFORE_COMMIT || !run.hookRun) {
    throw new NotYetError(`the API shows the run as ${run.status.slice(0, 50)}, without the hook`);
  }
}

export function isNotFound(failure: Failure): boolean {
  return failure.kind === 'refused' && failure.status === 404;
}
