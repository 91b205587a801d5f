import type { CallContext } from '@cds/bitbucket';
import type { Request } from 'express';

/** The API waits 60 s; an answer within 50 leaves time for everything around it. */
export const DEADLINE_MS = 50_000;

/** {@link CallContext} with a deadline that is always known. */
export interface DeadlineContext extends CallContext {
  deadline: number;
}

/** What `work` gets ends with `outer`, or after `ms` if that is sooner. */
export async function withDeadline<T>(
  outer: DeadlineContext | undefined,
  ms: number,
  work: (ctx: DeadlineContext) => Promise<T>,
): Promise<T> {
  // Not AbortSignal.any: a timeout in it may be collected, and then never fires (nodejs/node#57736).
  const ended = new AbortController();
  const end = () => ended.abort();
  const timer = setTimeout(end, ms);
  outer?.signal.addEventListener('abort', end, { once: true });
  if (outer?.signal.aborted) end();
  const deadline = Math.min(outer?.deadline ?? Infinity, Date.now() + ms);
  try {
    return await work({ signal: ended.signal, deadline });
  } finally {
    clearTimeout(timer);
    outer?.signal.removeEventListener('abort', end);
  }
}

/**
 * The time of one request: `ms`. A read also ends when the API hangs up; a write goes on, since half a write helps nobody.
 */
export async function withRequestDeadline<T>(
  req: Request,
  ms: number,
  work: (ctx: DeadlineContext) => Promise<T>,
): Promise<T> {
  if (req.method !== 'GET') return withDeadline(undefined, ms, work);
  const hungUp = new AbortController();
  const hangUp = () => hungUp.abort();
  req.res?.once('close', hangUp);
  const connection = { signal: hungUp.signal, deadline: Infinity };
  try {
    return await withDeadline(connection, ms, work);
  } finally {
    req.res?.off('close', hangUp);
  }
}
