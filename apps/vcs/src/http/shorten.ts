import { hash } from 'node:crypto';

/**
 * Bitbucket's limit for short texts:
 * https://github.com/jenkinsci/bitbucket-branch-source-plugin/pull/928
 */
export const MAX_TEXT = 254;

const HASH_DIGITS = 16;

/** `text`, or its beginning and a hash: different texts stay different. */
export function shortenDistinct(text: string, max: number): string {
  if (text.length <= max) return text;
  const digits = hash('sha256', text).slice(0, HASH_DIGITS);
  return `${firstCharacters(text, max - HASH_DIGITS - 1)}-${digits}`;
}

/** `text` where it fits into `max` characters, else its beginning and `mark`. */
export function shorten(text: string, max: number, mark = '…'): string {
  return text.length <= max ? text : firstCharacters(text, max - mark.length) + mark;
}

/** Leaves no half of a surrogate pair. */
function firstCharacters(text: string, length: number): string {
  return text.slice(0, length).replace(/[\uD800-\uDBFF]$/, '');
}
