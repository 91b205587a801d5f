import { setTimeout as sleep } from 'node:timers/promises';
import { ConstantBackoff, handleWhen, retry } from 'cockatiel';
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
export function withRetries<T>(
  settings: RetrySettings,
  ctx: CallContext,
  attempt: () => Promise<T>,
): Promise<T> {
  let failure: BitbucketError | undefined;
  let givenUp = false;
  let guesses = 0;
  const policy = retry(
    handleWhen((error) => {
      if (givenUp || ctx.signal.aborted || !mayRepeat(error, settings.repeat)) return false;
      failure = error;
      if (!isTold(error)) guesses += 1;
      return guesses < MAX_ATTEMPTS;
    }),
    // The pause is made below, where the caller's signal can end it.
    { maxAttempts: MAX_ATTEMPTS_AS_TOLD - 1, backoff: new ConstantBackoff(0) },
  );
  return policy.execute(async () => {
    if (failure) {
      const pauseMs = pauseAfter(failure, guesses, settings.firstPauseMs);
      givenUp = !fits(pauseMs, ctx) || !(await pause(pauseMs, ctx, settings, failure));
      if (givenUp) throw failure;
    }
    return attempt();
  });
}

function mayRepeat(error: unknown, repeat: RepeatRule): error is BitbucketError {
  if (!(error instanceof BitbucketError) || error.untrusted) return false;
  if (error.status === 429 || error.notSent) return true;
  if (repeat === 'unless-received') return false;
  if (error.kind === 'unreachable' || error.kind === 'timeout') return true;
  return error.kind === 'answer' && error.status !== undefined && error.status >= 500;
}

/** Whether the failure says how long to wait. `Retry-After: 0` does not. */
function isTold(
  failure: BitbucketError,
): failure is BitbucketError & { retryAfterSeconds: number } {
  return (failure.retryAfterSeconds ?? 0) > 0;
}

function pauseAfter(failure: BitbucketError, guesses: number, firstPauseMs: number): number {
  if (isTold(failure)) return failure.retryAfterSeconds * 1000;
  return firstPauseMs * 2 ** (guesses - 1) * (0.5 + Math.random());
}

function fits(pauseMs: number, ctx: CallContext): boolean {
  if (pauseMs > MAX_PAUSE_MS) return false;
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
