import { setTimeout as sleep } from 'node:timers/promises';
import type { CallContext } from '../client-types';
import type { RepeatRule } from '../routes';
import { BitbucketError } from './bitbucket-error';

const MAX_ATTEMPTS = 4;
/** When Bitbucket itself says each time how long to wait. */
const MAX_ATTEMPTS_AS_TOLD = 10;
/** A longer wait than any caller has; asked for more, we give up at once. */
const MAX_PAUSE_MS = 55_000;

export interface RetrySettings {
  repeat: RepeatRule;
  /** Milliseconds; doubled each time, plus or minus half. */
  firstPauseMs: number;
  onRetry?: (failure: BitbucketError, pauseMs: number) => void;
}

/**
 * Repeats `attempt`, pausing as `Retry-After` says (ten attempts at most) or ever longer (four at
 * most). Instead of a pause beyond the caller's deadline it throws the last error.
 */
export async function withRetries<T>(
  { repeat, firstPauseMs, onRetry }: RetrySettings,
  ctx: CallContext,
  attempt: (isRetry: boolean) => Promise<T>,
): Promise<T> {
  let guesses = 0;
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await attempt(attempts > 1);
    } catch (error) {
      if (ctx.signal.aborted || !mayRepeat(error, repeat)) throw error;
      // `Retry-After: 0` does not say how long to wait.
      const toldMs = (error.retryAfterSeconds ?? 0) * 1000;
      if (toldMs === 0) guesses += 1;
      if (guesses === MAX_ATTEMPTS || attempts === MAX_ATTEMPTS_AS_TOLD) throw error;
      const pauseMs = toldMs || firstPauseMs * 2 ** (guesses - 1) * (0.5 + Math.random());
      if (!fits(pauseMs, ctx)) throw error;
      onRetry?.(error, Math.round(pauseMs));
      await sleep(pauseMs, undefined, { signal: ctx.signal }).catch(() => {
        throw error;
      });
    }
  }
}

function mayRepeat(error: unknown, repeat: RepeatRule): error is BitbucketError {
  if (!(error instanceof BitbucketError) || error.untrusted) return false;
  if (error.status === 429 || error.notSent) return true;
  if (repeat === 'unless-received') return false;
  if (error.kind === 'unreachable' || error.kind === 'timeout') return true;
  return error.kind === 'answer' && error.status !== undefined && error.status >= 500;
}

function fits(pauseMs: number, ctx: CallContext): boolean {
  if (pauseMs > MAX_PAUSE_MS) return false;
  return ctx.deadline === undefined || Date.now() + pauseMs < ctx.deadline;
}
