import type { Supervisor } from './supervisor';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/**
 * A terminal sends Ctrl-C to a whole group, so behind a wrapper (npx) it comes twice at once. A
 * service takes a second signal as "at once": only a later one is passed on.
 */
const SAME_SIGNAL_MS = 1_000;

/** Passes signals on to the children. Returns how to undo it. */
export function forwardSignals(supervisor: Supervisor): () => void {
  let last = Number.NEGATIVE_INFINITY;
  const forward = (signal: NodeJS.Signals): void => {
    const now = performance.now();
    const isRepeated = now - last < SAME_SIGNAL_MS;
    last = now;
    if (!isRepeated) supervisor.stop(signal === 'SIGHUP' ? 'SIGTERM' : signal);
  };
  SIGNALS.forEach((signal) => process.on(signal, forward));
  return () => {
    SIGNALS.forEach((signal) => process.off(signal, forward));
  };
}
