/** The names on the prototypes that everything inherits from, as they were before anything was parsed. */
const INHERITED = [Object.prototype, Array.prototype, String.prototype, Function.prototype];
const BEFORE = INHERITED.map((prototype) => Object.getOwnPropertyNames(prototype).join());

/** Fails when something parsed has become a property of every object. */
export function expectCleanPrototypes(): void {
  expect(INHERITED.map((prototype) => Object.getOwnPropertyNames(prototype).join())).toEqual(
    BEFORE,
  );
  expect(Object.getPrototypeOf(Object.prototype)).toBeNull();
}

/**
 * How much longer four times as much takes: about 4 for what grows with its input, 16 for what grows with its square.
 * The best of some tries each, since others use the machine too; what takes less than {@link SHORT_MS} counts as that,
 * so that only what becomes long shows as growing.
 */
export function growth<T>(n: number, make: (n: number) => T, run: (input: T) => unknown): number {
  const small = make(n);
  const large = make(4 * n);
  let best = Infinity;
  let bestOfLarge = Infinity;
  milliseconds(run, small);
  for (let tries = 0; tries < 2; tries += 1) {
    best = Math.min(best, milliseconds(run, small));
    bestOfLarge = Math.min(bestOfLarge, milliseconds(run, large));
  }
  return bestOfLarge / Math.max(best, SHORT_MS);
}

const SHORT_MS = 40;

/** Nearer to the sixteenfold than to the fourfold: collecting garbage alone can double the latter. */
export const LINEAR = 12;

/** How long one call takes; what it throws counts as its end. */
export function milliseconds<T>(run: (input: T) => unknown, input: T): number {
  const began = performance.now();
  try {
    run(input);
  } catch {
    // A refusal takes its time too.
  }
  return performance.now() - began;
}

export const MIB = 1024 * 1024;

/** `text` as often as it fits into so many characters. */
export function fill(text: string, characters = MIB): string {
  return text.repeat(Math.floor(characters / text.length));
}
