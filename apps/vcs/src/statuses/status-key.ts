import { shortenDistinct } from '../http/shorten';

/** Bitbucket answers 400 to longer keys. */
const MAX_KEY = 40;

/**
 * The key of a status at Bitbucket: its name, or where that is too long its beginning and a hash of
 * the whole.
 */
export function statusKey(name: string): string {
  return shortenDistinct(name, MAX_KEY);
}
