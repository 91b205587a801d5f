import { type DeadlineContext, withTimeout } from '@cds/network';
import { CdsError } from '@cds/wire';
import type { Request } from 'express';

/** The API waits 60 s; the rest is for the way of the answer. */
export const DEADLINE_MS = 50_000;

/** The error of a caller whose deadline passed. */
export function deadlinePassed(): CdsError {
  return new CdsError('gatewayTimeout', {
    from: 'Bitbucket Cloud did not answer in time: repeat the call later',
  });
}

/** Bounds one request to `ms`. A read also ends when the API hangs up; a write is finished. */
export async function withRequestDeadline<T>(
  req: Request,
  ms: number,
  work: (ctx: DeadlineContext) => Promise<T>,
): Promise<T> {
  if (req.method !== 'GET') return withTimeout(undefined, ms, work);
  const hungUp = new AbortController();
  const hangUp = () => hungUp.abort();
  req.res?.once('close', hangUp);
  const connection = { signal: hungUp.signal, deadline: Infinity };
  try {
    return await withTimeout(connection, ms, work);
  } finally {
    req.res?.off('close', hangUp);
  }
}
