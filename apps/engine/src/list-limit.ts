import { usageError } from './command-error';

const MAX_LISTED = 10_000;

/** @throws CommandError for what is no number of lines to print */
export function checkLimit(text: string): number {
  const limit = Number(text);
  if (!/^\d+$/.test(text) || limit < 1 || limit > MAX_LISTED)
    throw usageError(`--limit takes a number from 1 to ${MAX_LISTED}.`);
  return limit;
}
