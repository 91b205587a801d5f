import { isApiError } from '@cds/api-client';
import { unexpectedSentence } from './unexpected-error';

/** Why a call to the API did not succeed. */
export type Failure =
  /** The API said no, with CDS's error body, or this service failed at asking it: counts. */
  | { kind: 'refused'; message: string; status?: number | undefined }
  /**
   * The API did not answer, or something else answered for it: does not count. `mayBeDone`: what it
   * was asked for may have been done, or may still be.
   */
  | { kind: 'unavailable'; message: string; mayBeDone: boolean };

/**
 * What came of a call of the API. A mistake of this service is a refusal: the next try most likely
 * ends in the same way, so that the tries are counted.
 *
 * @throws the reason of the signal that ended the call
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

/** A date that is further ahead than a pause is long, by more than this, is of a clock that was put back since. */
export const CLOCK_SLACK_MS = 5_000;

/**
 * When a pause that was to end at `retryAt` is over (ms); 0 when it is. A pause that began before the clock was put
 * back is over: it would last for as long as the clock jumped.
 */
export function pauseEnd(retryAt: number, now: number, retryDelayMs: number): number {
  return retryAt > now && retryAt <= now + retryDelayMs + CLOCK_SLACK_MS ? retryAt : 0;
}

const FIRST_PAUSE_MS = 1_000;

/**
 * The pause before the next try of a call that the API did not answer: one second, doubled each time, at most
 * `retryDelay`; up to a fifth shorter, so that those who wait do not come back all at once.
 *
 * @param outages tries in a row that were not answered, from 1
 */
export function outagePauseMs(outages: number, retryDelayMs: number): number {
  const pause = Math.min(retryDelayMs, FIRST_PAUSE_MS * 2 ** Math.min(outages - 1, 20));
  return Math.round(pause * (1 - Math.random() / 5));
}
