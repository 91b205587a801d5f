export interface DueLoopDeps {
  /** Does the due work. @returns the milliseconds to the next one, if known */
  runDue: () => Promise<number | undefined>;
  /**
   * The longest pause (ms), also after a failure: something earlier may have been added by then.
   */
  maxSleepMs: number;
  /** Called with an error of `runDue`. */
  failed: (error: unknown) => void;
}

/** Every replica runs one; Redis scripts decide which replica gets the work. */
export interface DueLoop {
  /** Begins in `afterMs`; also again after `stop`. */
  start(afterMs?: number): void;
  /** Runs now, or right after the current run; does nothing while stopped. */
  runNow(): void;
  /** Resolves when no run is under way. */
  stop(): Promise<void>;
}

/** Runs `runDue` again and again, one run at a time, and pauses until the next is due. */
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
    pause(isWanted ? 0 : Math.min(maxSleepMs, dueInMs ?? maxSleepMs));
  }

  /** At most one timer, and none during a run: two runs never overlap. */
  function pause(ms: number): void {
    if (!isStarted) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      isWanted = false;
      underWay = run();
    }, ms).unref();
  }

  function runAfter(ms: number): void {
    if (underWay) isWanted = true;
    else pause(ms);
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
