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

const SHORT_MS = 40;
const MOST_TRIES = 8;

/** Nearer to the sixteenfold than to the fourfold: collecting garbage alone can double the latter. */
export const LINEAR = 12;

/**
 * How much longer four times as much takes: about 4 for what grows with its input, 16 for what grows with its square.
 *
 * In processor time, since others use the machine too, and the best of some tries. What takes less than 40 ms counts as
 * that, so that only what becomes long shows as growing.
 */
export function growth<T>(n: number, make: (n: number) => T, run: (input: T) => unknown): number {
  const small = make(n);
  const large = make(4 * n);
  let ofSmall = Infinity;
  let ofLarge = Infinity;
  let ratio = Infinity;
  milliseconds(run, small);
  for (let tries = 0; tries < MOST_TRIES && (tries < 2 || ratio >= LINEAR); tries += 1) {
    ofSmall = Math.min(ofSmall, milliseconds(run, small));
    ofLarge = Math.min(ofLarge, milliseconds(run, large));
    ratio = ofLarge / Math.max(ofSmall, SHORT_MS);
  }
  return ratio;
}

/** How long the processor was busy with one call; what it throws counts as its end. */
function milliseconds<T>(run: (input: T) => unknown, input: T): number {
  const began = process.cpuUsage();
  try {
    run(input);
  } catch {
    // A refusal takes its time too.
  }
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1000;
}

export const MIB = 1024 * 1024;

/** `text` as often as it fits into so many characters. */
export function fill(text: string, characters = MIB): string {
  return text.repeat(Math.floor(characters / text.length));
}
