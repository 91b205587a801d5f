import { createHash } from 'node:crypto';

/** Bitbucket answers 400 to longer keys. */
const LONGEST_KEY = 40;
const HASH_DIGITS = 16;

/** The key of a status at Bitbucket: its name, or where that is too long its beginning and a hash of the whole. */
export function statusKey(name: string): string {
  if (name.length <= LONGEST_KEY) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH_DIGITS);
  // Not half of a character beyond Unicode's first plane.
  const start = name.slice(0, LONGEST_KEY - HASH_DIGITS - 1).replace(/[\uD800-\uDBFF]$/, '');
  return `${start}-${hash}`;
}
