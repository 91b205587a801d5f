export interface DueLoopDeps {
  /** Does what is due. @returns in how many milliseconds the next one is, where that is known */
  runDue: () => Promise<number | undefined>;
  /**
   * The longest sleep (ms), also after a failure: by then something may have been added that is due
   * before all that was known.
   */
  maxSleepMs: number;
  /** Redis did not answer, as a rule. */
  failed: (error: unknown) => void;
}

/** Every replica runs one; scripts of Redis decide which of them gets what is due. */
export interface DueLoop {
  /** Begins, `afterMs` from now; also again after `stop`. */
  start(afterMs?: number): void;
  /** Runs now, or right after the run that is under way. Does nothing while stopped. */
  runNow(): void;
  /** Resolves when nothing is under way. */
  stop(): Promise<void>;
}

/** Runs again and again, one run at a time, and sleeps between two until the next one is due. */
export function createDueLoop({ runDue, maxSleepMs, failed }: DueLoopDeps): DueLoop {
  let timer: NodeJS.Timeout | undefined;
  let underWay: Promise<void> | undefined;
  let isStarted = false;
  let isWanted = false;

  async function run(): Promise<void> {
    let dueInMs: number | undefined;
    try {
      dueInMs = await runDue();
    } catch (error) {
      failed(error);
    }
    underWay = undefined;
    sleep(isWanted ? 0 : Math.min(maxSleepMs, dueInMs ?? maxSleepMs));
  }

  /** One timer at most, and none while a run is under way: two never run side by side. */
  function sleep(ms: number): void {
    if (!isStarted) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      isWanted = false;
      underWay = run();
    }, ms).unref();
  }

  function runAfter(ms: number): void {
    if (underWay) isWanted = true;
    else sleep(ms);
  }

  return {
    start(afterMs = 0) {
      isStarted = true;
      runAfter(afterMs);
    },
    runNow: () => runAfter(0),
    async stop() {
      isStarted = false;
      clearTimeout(timer);
      await underWay;
    },
  };
}
