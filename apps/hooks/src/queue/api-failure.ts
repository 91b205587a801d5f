import { isApiError } from '@cds/api-client';
import { unexpectedSentence } from './unexpected-error';

export type Failure =
  /** The API answered with CDS's error body, or this service has a bug: counts as a try. */
  | { kind: 'refused'; message: string; status?: number | undefined }
  /**
   * The API gave no answer of its own: does not count as a try. `mayBeDone`: the API may have
   * carried out the call, or may still do so.
   */
  | { kind: 'unavailable'; message: string; mayBeDone: boolean };

/**
 * A bug of this service is a refusal: it counts as a try, since the next one most likely fails.
 *
 * @throws the abort reason of the signal that ended the call
 */
export function failureOf(error: unknown): Failure {
  if (isAborted(error)) throw error;
  if (!isApiError(error)) return { kind: 'refused', message: unexpectedSentence(error) };
  return error.kind === 'refused'
    ? { kind: 'refused', message: error.message, status: error.status }
    : { kind: 'unavailable', message: error.message, mayBeDone: error.mayBeDone };
}

function isAborted(error: unknown): boolean {
  const { name } = (error ?? {}) as { name?: unknown };
  return name === 'AbortError' || name === 'TimeoutError';
}

/** A pause that ends later than its length plus this was set before the clock was put back. */
export const CLOCK_SLACK_MS = 5_000;

/**
 * The end of a pause (ms); 0 when it is over. A pause that was set before the clock was put back is
 * over: it would last for as long as the clock jumped.
 */
export function pauseEnd(retryAt: number, now: number, retryDelayMs: number): number {
  return retryAt > now && retryAt <= now + retryDelayMs + CLOCK_SLACK_MS ? retryAt : 0;
}

const FIRST_PAUSE_MS = 1_000;

/**
 * The pause before the next try of a call that the API did not answer: one second, doubled each
 * time, at most `retryDelay`. It is up to a fifth shorter, to spread the tries.
 *
 * @param outages tries in a row without an answer, from 1
 */
export function outagePauseMs(outages: number, retryDelayMs: number): number {
  const pause = Math.min(retryDelayMs, FIRST_PAUSE_MS * 2 ** Math.min(outages - 1, 20));
  return Math.round(pause * (1 - Math.random() / 5));
}
