export type DueLoop = ReturnType<typeof createDueLoop>;

/**
 * Runs `runDue` again and again, one run at a time, and pauses until the next is due. Every replica
 * has a loop; Redis scripts decide which replica gets the work.
 */
export function createDueLoop(deps: {
  /** Does the due work. @returns the milliseconds to the next one, if known */
  runDue: () => Promise<number | undefined>;
  /**
   * The longest pause (ms), also after a failure: something earlier may have been added by then.
   */
  maxSleepMs: number;
  /** Called with an error of `runDue`. */
  failed: (error: unknown) => void;
}) {
  const { runDue, maxSleepMs, failed } = deps;
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
    /** Begins in `afterMs`; also again after `stop`. */
    start(afterMs = 0): void {
      isStarted = true;
      runAfter(afterMs);
    },

    /** Runs now, or right after the current run; does nothing while stopped. */
    runNow: (): void => runAfter(0),

    /** Resolves when no run is under way. */
    async stop(): Promise<void> {
      isStarted = false;
      clearTimeout(timer);
      await underWay;
    },
  };
}
