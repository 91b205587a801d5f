import { setTimeout as sleep } from 'node:timers/promises';
import { synchronizeUntilDone, type SynchronizeTasksDeps } from './synchronize-tasks';

/** Between two synchronizations because of what vanished or was delivered, in this process. */
const SOONEST_MS = 1_000;

export interface Synchronization {
  /**
   * Reads the hooks of the API anew, also where a reading is under way or waits for a second look.
   */
  request(): void;
}

/**
 * Brings the tasks in line with the API whenever that is asked for, one time after the other, until
 * `ending`.
 *
 * @param may whether the tasks are ours, and the API knows us
 */
export function createSynchronization(
  deps: SynchronizeTasksDeps & { may: () => boolean; ending: AbortSignal },
): Synchronization {
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
          logger.debug({ error }, 'not synchronized'),
        );
        if (isWanted) await sleep(SOONEST_MS, undefined, { ref: false });
      }
    } finally {
      isRunning = false;
    }
  }

  return {
    request() {
      isWanted = true;
      // A pause before the next look ends; a list that is being read is read to its end.
      pausing.abort();
      void run();
    },
  };
}
