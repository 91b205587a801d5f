/** Until when work may go on. */
export interface DeadlineContext {
  /** Ends the work. */
  signal: AbortSignal;
  /** When the signal is aborted (ms since 1970); `Infinity` when no time is set. */
  deadline: number;
}

/**
 * Gives `work` a context that ends with `outer`, or after `ms` if that is sooner. For work that
 * does not heed the signal see {@link abortable}.
 */
export async function withTimeout<T>(
  outer: { signal: AbortSignal; deadline?: number | undefined } | undefined,
  ms: number,
  work: (ctx: DeadlineContext) => Promise<T>,
): Promise<T> {
  // AbortSignal.any may collect a timeout, which then never fires (nodejs/node#57736), and keeps
  // derived signals of a long-lived one (nodejs/node#54614).
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
 * Waits for `work` until `signal` aborts; the work itself goes on. @throws what `reason` makes then
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
