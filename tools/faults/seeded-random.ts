/** Random choices that the same seed makes again. */
export interface Random {
  readonly seed: number;
  /** From 0 up to, but not, 1. */
  fraction(): number;
  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number;
  /** @throws RangeError when there is nothing to choose from */
  pick<T>(from: readonly T[]): T;
  shuffled<T>(items: readonly T[]): T[];
  /** A generator of its own, so that what runs side by side does not disturb its choices. */
  fork(name: string): Random;
}

/** mulberry32: small, fast, and good enough to choose whom a fault hits. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;

  function fraction(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  const between = (least: number, most: number): number =>
    least + Math.floor(fraction() * (most - least + 1));

  return {
    seed,
    fraction,
    between,
    pick(from) {
      if (from.length === 0) throw new RangeError('There is nothing to choose from');
      return from[between(0, from.length - 1)] as (typeof from)[number];
    },
    shuffled(items) {
      const left = [...items];
      return items.map(
        () => left.splice(between(0, left.length - 1), 1)[0] as (typeof items)[number],
      );
    },
    fork: (name) => createRandom(mixIn(seed, name)),
  };
}

function mixIn(seed: number, name: string): number {
  let mixed = seed >>> 0;
  for (const letter of name) mixed = Math.imul(mixed ^ (letter.codePointAt(0) ?? 0), 0x01000193);
  return mixed >>> 0;
}
