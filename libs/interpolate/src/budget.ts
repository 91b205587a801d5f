import { InterpolateError } from './interpolate-error';

interface Work {
  /** Characters that helpers read and write. The slowest helper takes about 0.25 µs for one. */
  characters: number;
  /** Expressions, and values in them. */
  steps: number;
}

/** For all interpolations of one outgoing hook. Takes seconds at most. */
export const MAX_WORK: Readonly<Work> = { characters: 8 * 1024 * 1024, steps: 20_000 };

export class TooMuchWorkError extends InterpolateError {}

/** Bounds the sum of all values on the way, which a short text can make large. */
export interface Budget {
  /** @throws TooMuchWorkError naming the bound and what to do */
  spend(work: Partial<Work>): void;
}

export function createBudget(most: Readonly<Work> = MAX_WORK): Budget {
  const spent: Work = { characters: 0, steps: 0 };
  return {
    spend({ characters = 0, steps = 0 }) {
      spent.characters += characters;
      spent.steps += steps;
      if (spent.characters > most.characters) {
        throw new TooMuchWorkError(
          `the helpers of the expressions would read and write more than ${most.characters} ` +
            'characters in all: use fewer helpers, or shorter values',
        );
      }
      if (spent.steps > most.steps) {
        throw new TooMuchWorkError(
          `there are more than ${most.steps} expressions and values in them in all: use fewer`,
        );
      }
    },
  };
}
