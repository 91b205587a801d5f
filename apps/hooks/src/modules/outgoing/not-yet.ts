import type { Failure } from '../../queue/api-failure';

/**
 * The API posts an outgoing hook inside of its transaction, and commits 50 to 200 ms later. Whoever
 * asks before that sees a run that is `Pending`, no such hook, or no such run: it is not there yet,
 * which says nothing about whether it will be.
 */
export class NotYetError extends Error {
  override readonly name = 'NotYetError';
}

const BEFORE_IT_WAITS = 'Pending';
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5_000;
/**
 * A minute of pauses in all. Counted, since no clock that jumps is to make it shorter or longer.
 */
export const MAX_NOT_YET = 18;

/** The pause before the API is asked again, after it showed nothing so often before. */
export function notYetPauseMs(times: number): number {
  return Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(times, 20));
}

/** @throws NotYetError when the API shows a run as it was before it posted the hook */
export function checkIsThere(run: { status: string; hookRun: unknown }): void {
  if (run.status === BEFORE_IT_WAITS || !run.hookRun) {
    throw new NotYetError(`the API shows the run as ${run.status.slice(0, 50)}, without the hook`);
  }
}

/** Whether the API knows nothing of what it was asked for. */
export function isNotFound(failure: Failure): boolean {
  return failure.kind === 'refused' && failure.status === 404;
}
