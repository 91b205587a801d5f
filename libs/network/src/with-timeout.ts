/** Until when work may go on. */
export interface DeadlineContext {
  /** Ends the work. */
  signal: AbortSignal;
  /** When the signal is aborted (ms since 1970); `Infinity` when no time is set. */
  deadline: number;
}

/**
 * Gives `work` a context that ends with `outer`, or after `ms` if that is sooner. The work itself
 * has to heed the signal: see {@link abortable} for work that does not.
 */
export async function withTimeout<T>(
  outer: { signal: AbortSignal; deadline?: number | undefined } | undefined,
  ms: number,
  work: (ctx: DeadlineContext) => Promise<T>,
): Promise<T> {
  // Not AbortSignal.any: a timeout in it may be collected, and then never fires
  // (nodejs/node#57736), and on a long-lived signal it keeps every derived one (nodejs/node#54614).
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
 * Waits for `work`, but no longer than until `signal` aborts. The work itself goes on.
 *
 * @throws what `reason` makes, when the signal was aborted first
 */
export async function abortable<T>(
  work: Promise<T>,
  signal: AbortSignal,
  reason: () => Error,
): Promise<T> {
  if (signal.aborted) {
    work.catch(() => undefined);
    throw reason();
  }
  let abort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(reason());
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (abort) signal.removeEventListener('abort', abort);
  }
}
