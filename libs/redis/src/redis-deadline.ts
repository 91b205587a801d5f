import { CdsError, isCdsError } from '@cds/wire';

/** Callers are promised an answer within 2 s. */
const REDIS_DEADLINE_MS = 1_500;

/**
 * Runs commands on Redis for a caller that waits for an answer.
 *
 * A frozen Redis answers no command for longer than callers wait, so the deadline is our own.
 * @throws CdsError 503 with Retry-After when Redis is away, refuses, or exceeds the deadline
 */
export async function answeredByRedis<T>(
  work: () => Promise<T>,
  deadlineMs = REDIS_DEADLINE_MS,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`no answer within ${Math.round(deadlineMs)} ms`)),
      deadlineMs,
    ).unref();
  });
  try {
    return await Promise.race([work(), deadline]);
  } catch (error) {
    // Our bugs are no outage.
    if (isCdsError(error) || error instanceof TypeError || error instanceof RangeError) throw error;
    throw new CdsError('unavailable', {
      from:
        'Redis is away or does not accept writes: try again later, ' +
        'and look at the log and at Redis',
      headers: { 'Retry-After': '5' },
      cause: error,
    });
  } finally {
    clearTimeout(timer);
  }
}

/** {@link answeredByRedis} for several calls with one deadline; time in between does not count. */
export function redisBudget(totalMs = REDIS_DEADLINE_MS) {
  let leftMs = totalMs;
  return async function answered<T>(commands: Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      return await answeredByRedis(() => commands, Math.max(0, leftMs));
    } finally {
      leftMs -= performance.now() - began;
    }
  };
}
