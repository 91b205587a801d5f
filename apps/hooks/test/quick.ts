import type { Timing } from '../src/timing';

/**
 * Short times, so that what takes minutes takes moments; locks live as long as ever, since a
 * machine may be busy.
 */
export const QUICK: Timing = {
  lockMs: 5_000,
  lockHeartbeatMs: 200,
  sweepMs: 300,
  heartbeatMs: 500,
  firstRetryMs: 50,
  sharedMs: 0,
  secondLookMs: 300,
  askAgainMs: 300,
};
