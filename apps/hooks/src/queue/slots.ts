/** Deliveries that are worked off at once while the API answers at its usual pace. */
const PLACES = 20;
/** Whoever takes longer waits for somebody else, and holds nobody up meanwhile. */
const SLOW_MS = 250;

/** One of them, held by whoever took it. */
export interface Slot {
  /** False once it was given on, also because it took too long. */
  readonly isHeld: boolean;
  /** Safe to repeat. */
  giveBack(): void;
}

export type Slots = ReturnType<typeof createSlots>;

/**
 * Bounds how many deliveries are begun at once, so that the API is not flooded when it comes back, without letting
 * those for which it is slow hold up the others: a place is given on after a quarter of a second, also when what it
 * was taken for goes on. First come, first served.
 */
export function createSlots({ slots = PLACES, slowMs = SLOW_MS } = {}) {
  let free = slots;
  const waiting: (() => void)[] = [];

  function giveOn(): void {
    const next = waiting.shift();
    if (next) next();
    else free++;
  }

  return {
    /** Waits for a place. */
    async take(): Promise<Slot> {
      if (free > 0) free--;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      let held = true;
      const giveBack = () => {
        if (!held) return;
        held = false;
        clearTimeout(timer);
        giveOn();
      };
      const timer = setTimeout(giveBack, slowMs).unref();
      return {
        get isHeld() {
          return held;
        },
        giveBack,
      };
    },
  };
}
