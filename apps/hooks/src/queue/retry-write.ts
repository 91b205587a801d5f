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
  for (let tries = 0; ; tries++) {
    try {
      return await write();
    } catch (error) {
      if (error instanceof TypeError || deps.signal.aborted) throw asNotStored(error);
      if (tries === 0) {
        deps.logger.warn({ error }, 'waiting for Redis to store the result of an API call');
      }
    }
    try {
      await sleep(Math.min(2_000, 100 * 2 ** Math.min(tries, 10)), undefined, {
        signal: deps.signal,
      });
    } catch (error) {
      throw asNotStored(error);
    }
  }
}

function asNotStored(cause: unknown): Error {
  return cause instanceof TypeError
    ? cause
    : new NotStoredError('the service ended before Redis was back', { cause });
}
