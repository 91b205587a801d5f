import { closest } from 'fastest-levenshtein';

/** What is longer is spelled like nothing that is known. */
const MAX_NAME_LENGTH = 100;

/** The one of `names` that is spelled most like `name`, without regard to case. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const spelling = closest(
    name.slice(0, MAX_NAME_LENGTH).toLowerCase(),
    names.map((each) => each.toLowerCase()),
  );
  return names.find((each) => each.toLowerCase() === spelling);
}
