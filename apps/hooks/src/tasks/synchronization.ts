import { setTimeout as sleep } from 'node:timers/promises';
import { synchronizeUntilDone, type SynchronizeTasksDeps } from './synchronize-tasks';

/** Between two synchronizations of this process. */
const MIN_PAUSE_MS = 1_000;

/**
 * Runs requested synchronizations one after the other.
 *
 * @param deps.may whether the state is that of this CDS, and the API knows this service
 */
export function createSynchronization(
  deps: SynchronizeTasksDeps & { may: () => boolean; ending: AbortSignal },
) {
  const { logger, ending } = deps;
  let isWanted = false;
  let isRunning = false;
  let pausing = new AbortController();

  async function run(): Promise<void> {
    if (isRunning) return;
    isRunning = true;
    try {
      while (isWanted && deps.may() && !ending.aborted) {
        isWanted = false;
        pausing = new AbortController();
        await synchronizeUntilDone(deps, ending, pausing.signal).catch((error: unknown) =>
          logger.debug({ error }, 'synchronization failed'),
        );
        if (isWanted as boolean) await sleep(MIN_PAUSE_MS, undefined, { ref: false });
      }
    } finally {
      isRunning = false;
    }
  }

  return {
    /** Also during a synchronization: another one follows. */
    request(): void {
      isWanted = true;
      // Ends a pause, not a synchronization that reads the API's list.
      pausing.abort();
      void run();
    },
  };
}
