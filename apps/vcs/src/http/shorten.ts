import { createHash } from 'node:crypto';

const HASH_DIGITS = 16;

/**
 * `text` where it fits into `max` characters, else its beginning and a hash of the whole: what
 * differs stays different.
 */
export function shortenDistinct(text: string, max: number): string {
  if (text.length <= max) return text;
  const hash = createHash('sha256').update(text).digest('hex').slice(0, HASH_DIGITS);
  return `${beginning(text, max - HASH_DIGITS - 1)}-${hash}`;
}

/** `text` where it fits into `max` characters, else its beginning and `mark`. */
export function shorten(text: string, max: number, mark = '…'): string {
  return text.length <= max ? text : beginning(text, max - mark.length) + mark;
}

/** Not half of a character beyond Unicode's first plane. */
function beginning(text: string, length: number): string {
  return text.slice(0, length).replace(/[\uD800-\uDBFF]$/, '');
}
