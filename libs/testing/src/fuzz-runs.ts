import type { Parameters } from 'fast-check';

const { FUZZ_RUNS = '1', FUZZ_SEED = '' } = process.env;
const factor = Number(FUZZ_RUNS);

/** A change is judged by the same cases as the one before it; other cases are tried on purpose. */
const USUAL_SEED = 20_261_122;

function seed(): { seed?: number } {
  if (FUZZ_SEED === 'random') return {};
  return { seed: FUZZ_SEED === '' ? USUAL_SEED : Number(FUZZ_SEED) };
}

/**
 * How often a property is tried: `runs` times, multiplied by the environment's `FUZZ_RUNS`, with
 * the same cases each time unless `FUZZ_SEED` is `random` or a seed. A failure prints its seed,
 * which `FUZZ_SEED` repeats.
 */
export function fuzzRuns(runs: number): Parameters<unknown> {
  if (!(factor > 0)) throw new Error('FUZZ_RUNS is a number above 0, by which runs are multiplied');
  return {
    numRuns: Math.max(1, Math.round(runs * factor)),
    ...seed(),
  };
}
