import { shortenDistinct } from '../http/shorten';

/** Bitbucket answers 400 to longer keys. */
const MAX_KEY = 40;

/** The key of a status at Bitbucket: its name, shortened with a hash where it is too long. */
export function statusKey(name: string): string {
  return shortenDistinct(name, MAX_KEY);
}
