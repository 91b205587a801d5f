import { setTimeout as sleep } from 'node:timers/promises';
import { ConstantBackoff, handleWhen, retry } from 'cockatiel';
import type { CallContext } from '../client-types';
import type { RepeatRule } from '../routes';
import { BitbucketError } from './bitbucket-error';

const MAX_ATTEMPTS = 4;
/** A longer wait than any caller has; asked for more, we give up at once. */
const LONGEST_PAUSE_MS = 55_000;

export interface RetrySettings {
  repeat: RepeatRule;
  /** Milliseconds; doubled each time, plus or minus half. */
  firstPauseMs: number;
  onRetry?: (failure: BitbucketError, pauseMs: number) => void;
}

/**
 * Calls `attempt` until it succeeds, at most four times, pausing as `Retry-After` says or ever longer. A pause that would
 * not end before the caller's deadline is not begun: the last error is thrown instead, so that a 429 reaches the caller
 * as one.
 */
export function withRetries<T>(
  settings: RetrySettings,
  ctx: CallContext,
  attempt: () => Promise<T>,
): Promise<T> {
  let failure: BitbucketError | undefined;
  let givenUp = false;
  const policy = retry(
    handleWhen((error) => {
      if (givenUp || ctx.signal.aborted || !mayRepeat(error, settings.repeat)) return false;
      failure = error;
      return true;
    }),
    // The pause is made below, where the caller's signal can end it.
    { maxAttempts: MAX_ATTEMPTS - 1, backoff: new ConstantBackoff(0) },
  );
  return policy.execute(async (context) => {
    if (failure) {
      const pauseMs = pauseAfter(failure, context.attempt, settings.firstPauseMs);
      givenUp = !fits(pauseMs, ctx) || !(await pause(pauseMs, ctx, settings, failure));
      if (givenUp) throw failure;
    }
    return attempt();
  });
}

function mayRepeat(error: unknown, repeat: RepeatRule): error is BitbucketError {
  if (!(error instanceof BitbucketError)) return false;
  if (error.status === 429 || error.notSent) return true;
  if (repeat === 'unless-received') return false;
  if (error.kind === 'unreachable' || error.kind === 'timeout') return true;
  return error.kind === 'answer' && error.status !== undefined && error.status >= 500;
}

function pauseAfter(failure: BitbucketError, attempt: number, firstPauseMs: number): number {
  if (failure.retryAfterSeconds !== undefined) return failure.retryAfterSeconds * 1000;
  return firstPauseMs * 2 ** (attempt - 1) * (0.5 + Math.random());
}

function fits(pauseMs: number, ctx: CallContext): boolean {
  if (pauseMs > LONGEST_PAUSE_MS) return false;
  return ctx.deadline === undefined || Date.now() + pauseMs < ctx.deadline;
}

/** Out: false when the caller's time ended in the pause. */
async function pause(
  pauseMs: number,
  ctx: CallContext,
  settings: RetrySettings,
  failure: BitbucketError,
): Promise<boolean> {
  settings.onRetry?.(failure, Math.round(pauseMs));
  try {
    await sleep(pauseMs, undefined, { signal: ctx.signal });
    return true;
  } catch {
    return false;
  }
}
