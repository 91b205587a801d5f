import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@cds/service';

class NotStoredError extends Error {
  override readonly name = 'NotStoredError';
}

/**
 * Repeats a write until Redis takes it: a forgotten result of an API call would repeat the call.
 * The write has to be safe to repeat.
 *
 * @throws NotStoredError when `signal` is aborted
 */
export async function retryWrite<T>(
  write: () => Promise<T>,
  deps: { logger: Logger; signal: AbortSignal },
): Promise<T> {
  const { logger, signal } = deps;
  for (let tries = 0; ; tries++) {
    try {
      return await write();
    } catch (error) {
      // A bug.
      if (error instanceof TypeError) throw error;
      if (tries === 0 && !signal.aborted)
        logger.warn({ error }, 'waiting for Redis to store the result of an API call');
      const pauseMs = Math.min(2_000, 100 * 2 ** Math.min(tries, 10));
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted)
        throw new NotStoredError('the service ended before Redis was back', { cause: error });
    }
  }
}
