import { setImmediate as yieldToOthers } from 'node:timers/promises';

/** Items sorted at once, and steps of a merge between two yields: about a millisecond of each. */
const RUN = 1_000;
const STEPS = 10_000;

/** Sorts as `toSorted` does, and yields to the event loop: fifty thousand items take 50 ms. */
export async function sortGently<T>(
  items: readonly T[],
  compare: (a: T, b: T) => number,
): Promise<T[]> {
  let runs: T[][] = [];
  for (let i = 0; i < items.length; i += RUN) {
    runs.push(items.slice(i, i + RUN).sort(compare));
    await yieldToOthers();
  }
  while (runs.length > 1) {
    const merged: T[][] = [];
    for (let i = 0; i < runs.length; i += 2) {
      merged.push(await merge(runs[i] ?? [], runs[i + 1] ?? [], compare));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

async function merge<T>(first: T[], second: T[], compare: (a: T, b: T) => number): Promise<T[]> {
  const merged: T[] = [];
  let i = 0;
  let j = 0;
  while (i < first.length && j < second.length) {
    const a = first[i] as T;
    const b = second[j] as T;
    // Equal items keep their order.
    if (compare(b, a) < 0) {
      merged.push(b);
      j += 1;
    } else {
      merged.push(a);
      i += 1;
    }
    if (merged.length % STEPS === 0) await yieldToOthers();
  }
  return merged.concat(first.slice(i), second.slice(j));
}

/** The order of `sort` without a function. */
export function byCodeUnits(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
