const MAX_SLOTS = 20;
/** An execution slower than this no longer counts against the limit: the API is slow for it. */
const SLOW_MS = 250;
/** Between two executions while the processing yields: 200 a second. */
const YIELDING_MS = 5;
/** A busy event loop is late for timers: what was missed within this time is made up for. */
const CATCH_UP_MS = 100;

/**
 * Bounds how many executions are begun at once, so that the API is not flooded after an outage.
 * First come, first served.
 *
 * @param yields whether to begin few executions, since others need this process more
 * @param now milliseconds that never go back
 */
export function createSlots(yields = () => false, now = () => performance.now()) {
  let free = MAX_SLOTS;
  const waiting: ((counts: boolean) => void)[] = [];
  /** When the next execution may begin while the processing yields. */
  let nextAt = -Infinity;
  let timer: NodeJS.Timeout | undefined;

  const mayBegin = (): boolean => free > 0 && (!yields() || now() >= nextAt);

  /** @returns whether it counts */
  function begun(): boolean {
    if (!yields()) return false;
    nextAt = Math.max(nextAt, now() - CATCH_UP_MS) + YIELDING_MS;
    return true;
  }

  function take(): boolean {
    free--;
    return begun();
  }

  function serve(): void {
    while (waiting.length > 0 && mayBegin()) {
      waiting.shift()?.(take());
    }
    // Without a free slot the next one that is given back serves.
    if (waiting.length === 0 || free === 0) return;
    timer ??= setTimeout(() => {
      timer = undefined;
      serve();
    }, YIELDING_MS).unref();
  }

  return {
    async take() {
      const counts =
        waiting.length === 0 && mayBegin()
          ? take()
          : await new Promise<boolean>((resolve) => {
              waiting.push(resolve);
              serve();
            });
      let held = true;
      const giveBack = () => {
        if (!held) return;
        held = false;
        clearTimeout(slow);
        free++;
        serve();
      };
      const slow = setTimeout(giveBack, SLOW_MS).unref();
      return {
        /** False also after the execution became slow. */
        get isHeld() {
          return held;
        },
        /** Call for each further execution that this slot is used for. */
        begun: () => void begun(),
        /** Call when there was nothing to begin. */
        unused(): void {
          if (counts) nextAt -= YIELDING_MS;
        },
        /** Safe to repeat. */
        giveBack,
      };
    },
  };
}
