const MAX_SLOTS = 20;
/** An execution slower than this no longer counts against the limit: the API is slow for it. */
const SLOW_MS = 250;

/**
 * Bounds how many executions are begun at once, so that the API is not flooded after an outage.
 * First come, first served.
 */
export function createSlots() {
  let free = MAX_SLOTS;
  const waiting: (() => void)[] = [];

  function release(): void {
    const next = waiting.shift();
    if (next) next();
    else free++;
  }

  return {
    async take() {
      if (free > 0) free--;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      let held = true;
      const giveBack = () => {
        if (!held) return;
        held = false;
        clearTimeout(timer);
        release();
      };
      const timer = setTimeout(giveBack, SLOW_MS).unref();
      return {
        /** False also after the execution became slow. */
        get isHeld() {
          return held;
        },
        /** Safe to repeat. */
        giveBack,
      };
    },
  };
}
