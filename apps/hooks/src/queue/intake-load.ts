import { performance } from 'node:perf_hooks';

/** Deliveries that wait for Redis at the same moment. */
export const MANY_WAITING = 8;
/** All answers of Redis may come in one turn of the event loop: many waited until a moment ago. */
const RECENT_MS = 50;
/** Below it, deliveries wait for Redis or their senders, not for this process. */
const BUSY_LOOP = 0.7;
const LOOP_SAMPLE_MS = 100;

/**
 * Tells whether deliveries wait for this process. A delivery has ten seconds until Bitbucket gives
 * it up, its run has not: so the processing of executions yields to the intake.
 *
 * @param now milliseconds that never go back
 * @param utilization of the event loop, 0 to 1
 */
export function createIntakeLoad(now = () => performance.now(), utilization = loopUtilization()) {
  let waiting = 0;
  let manyAt = -Infinity;

  return {
    /** Counts a delivery while it is being stored. */
    async during<T>(storing: Promise<T>): Promise<T> {
      waiting++;
      if (waiting >= MANY_WAITING) manyAt = now();
      try {
        return await storing;
      } finally {
        waiting--;
      }
    },

    isHigh: (): boolean => now() - manyAt < RECENT_MS && utilization() >= BUSY_LOOP,
  };
}

function loopUtilization(): () => number {
  let before = performance.eventLoopUtilization();
  let sampledAt = performance.now();
  let last = 0;
  return () => {
    if (performance.now() - sampledAt < LOOP_SAMPLE_MS) return last;
    const current = performance.eventLoopUtilization();
    last = performance.eventLoopUtilization(current, before).utilization;
    before = current;
    sampledAt = performance.now();
    return last;
  };
}
