import { InterpolateError } from './interpolate-error';

export interface Work {
  /** Characters that helpers read and write. The slowest helper takes about 0.25 µs for one. */
  characters: number;
  /** Expressions, and values in them. */
  steps: number;
}

/**
 * What the interpolations of one outgoing hook may take together: seconds at the very most,
 * whatever is written.
 */
export const MAX_WORK: Readonly<Work> = { characters: 8 * 1024 * 1024, steps: 20_000 };

/** The expressions of a text, each small, add up to more work than one hook may cause. */
export class TooMuchWorkError extends InterpolateError {}

/**
 * What is left of the work that the texts of one hook may cause. The size of a value is bounded
 * where it is made; this bounds the sum over all values on the way, which a short text can make as
 * large as it likes.
 */
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
          `the helpers of the expressions would read and write more than ${most.characters} characters in all: use fewer helpers, or shorter values`,
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
