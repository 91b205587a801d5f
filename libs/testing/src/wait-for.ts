import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 20;
/** Much longer than anything takes: a machine that is slow or busy must not fail a test. */
const PATIENCE_MS = 60_000;

export interface WaitOptions {
  /** Milliseconds, a minute when not given. Less proves nothing: the machine may be busy. */
  timeoutMs?: number;
  /** What is waited for; named in the error. */
  what?: string;
}

/**
 * Asks `probe` every 20 ms until it returns something truthy, and returns that. A probe that throws
 * has not succeeded yet: its last error is the cause of the one that ends the waiting.
 *
 * @throws Error naming `what` when the time is over.
 */
export async function waitFor<T>(
  probe: () => T | Promise<T>,
  { timeoutMs = PATIENCE_MS, what = 'a condition' }: WaitOptions = {},
): Promise<NonNullable<T>> {
  const deadline = Date.now() + timeoutMs;
  let lastError: unknown;
  do {
    try {
      const value = await probe();
      if (value) return value;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    await sleep(POLL_MS);
  } while (Date.now() < deadline);
  const reason = lastError instanceof Error ? `: ${lastError.message}` : '';
  throw new Error(`Waited ${timeoutMs} ms in vain for ${what}${reason}`, { cause: lastError });
}
