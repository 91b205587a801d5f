import { CdsError } from '@cds/wire';

/** What a caller gets whose deadline passed. */
export function deadlinePassed(): CdsError {
  return new CdsError('gatewayTimeout', {
    from: 'Bitbucket Cloud did not answer in time: repeat the call later',
  });
}

/**
 * Waits for `work`, but no longer than until `signal` aborts; then rejects with what `reason` makes. The work itself goes
 * on.
 */
export async function within<T>(
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
