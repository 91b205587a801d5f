import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 20;
/** What takes long is asked less often: the answers would take the time of what is waited for. */
const MAX_POLL_MS = 80;
/** Much longer than anything takes: a machine that is slow or busy must not fail a test. */
const PATIENCE_MS = 60_000;
/**
 * Where a turn takes longer than this, the machine or the service is held up: the rest does not
 * count.
 */
const MAX_TURN_MS = 100;
/** Of the time on the wall, still below jest's own limit. */
const MAX_TIMES = 4;

/** The processors that the processes under test have, of those they ask for: 1 or less. */
function processorShare(): number {
  const [asking = 0] = loadavg();
  return Math.min(1, availableParallelism() / Math.max(asking, 1));
}

export interface WaitOptions {
  /** Milliseconds, a minute when not given. Less proves nothing: the machine may be busy. */
  timeoutMs?: number;
  /** What is waited for; named in the error. */
  what?: string;
}

/**
 * Asks `probe` every 20 to 80 ms until it returns something truthy, and returns that. A probe that
 * throws has not succeeded yet: its last error is the cause of the one that ends the waiting. On a
 * machine that is held up, or that is asked for more than its processors, it waits up to four times
 * as long.
 *
 * @throws Error naming `what` when the time is over.
 */
export async function waitFor<T>(
  probe: () => T | Promise<T>,
  { timeoutMs = PATIENCE_MS, what = 'a condition' }: WaitOptions = {},
): Promise<NonNullable<T>> {
  const began = performance.now();
  let spentMs = 0;
  let lastError: unknown;
  for (let now = began; spentMs < timeoutMs && now - began < MAX_TIMES * timeoutMs;) {
    try {
      const value = await probe();
      if (value) return value;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    await sleep(Math.min(MAX_POLL_MS, Math.max(POLL_MS, (now - began) / 10)));
    spentMs += Math.min(MAX_TURN_MS, performance.now() - now) * processorShare();
    now = performance.now();
  }
  const reason = lastError instanceof Error ? `: ${lastError.message}` : '';
  throw new Error(`Waited ${timeoutMs} ms in vain for ${what}${reason}`, { cause: lastError });
}
