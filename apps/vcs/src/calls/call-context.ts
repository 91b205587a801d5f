import type { CallContext } from '@cds/bitbucket';
import type { Request } from 'express';

/** The API waits 60 s; an answer within 50 leaves time for everything around it. */
export const DEADLINE_MS = 50_000;

/** {@link CallContext} with a deadline that is always known. */
export interface DeadlineContext extends CallContext {
  deadline: number;
}

/**
 * How long a request may take. A read also ends when the API hangs up; a write goes on, since half a write helps nobody.
 */
export function callContext(req: Request, deadlineMs: number): DeadlineContext {
  const signals = [AbortSignal.timeout(deadlineMs)];
  if (req.method === 'GET') {
    const hungUp = new AbortController();
    req.res?.once('close', () => hungUp.abort());
    signals.push(hungUp.signal);
  }
  return { signal: AbortSignal.any(signals), deadline: Date.now() + deadlineMs };
}
