import { closest } from 'fastest-levenshtein';

/** The one of `names` that is spelled most like `name`, without regard to case. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const spelling = closest(
    name.toLowerCase(),
    names.map((each) => each.toLowerCase()),
  );
  return names.find((each) => each.toLowerCase() === spelling);
}
