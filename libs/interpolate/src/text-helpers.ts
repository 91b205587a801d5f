import { randomInt } from 'node:crypto';
import { InterpolateError } from './interpolate-error';

/** As the Go libraries of CDS. Lengths are bytes. */

const SPACE = /^[\t\n\v\f\r \u0085\p{Z}]$/u;
const UPPER = /^\p{Lu}$/u;
const LOWER = /^\p{Ll}$/u;

function isSpace(character: string): boolean {
  return SPACE.test(character);
}

/** Go maps one rune to one, so a letter such as `ß` stays. */
function upper(character: string): string {
  const changed = character.toUpperCase();
  return Array.from(changed).length === 1 ? changed : character;
}

function lower(character: string): string {
  const changed = character.toLowerCase();
  return Array.from(changed).length === 1 ? changed : character;
}

function map(text: string, change: (character: string) => string): string {
  let changed = '';
  for (const character of text) changed += change(character);
  return changed;
}

export const toUpper = (text: string): string => map(text, upper);
export const toLower = (text: string): string => map(text, lower);

/** Raises the first letter of each word. Words hold letters, digits and `_`. */
export function title(text: string): string {
  let isFirst = true;
  return map(text, (character) => {
    const changed = isFirst ? upper(character) : character;
    isFirst = /^[\0-\x7f]$/.test(character)
      ? !/^\w$/.test(character)
      : !/^[\p{L}\p{Nd}]$/u.test(character) && isSpace(character);
    return changed;
  });
}

/** Lowers the first letter of each word. White space separates words. */
export function untitle(text: string): string {
  let isFirst = true;
  return map(text, (character) => {
    if (isSpace(character)) {
      isFirst = true;
      return character;
    }
    const changed = isFirst ? lower(character) : character;
    isFirst = false;
    return changed;
  });
}

export function initials(text: string): string {
  let isFirst = true;
  return map(text, (character) => {
    const taken = isFirst && !isSpace(character) ? character : '';
    isFirst = isSpace(character);
    return taken;
  });
}

export function swapcase(text: string): string {
  return map(text, (c) => (UPPER.test(c) ? lower(c) : LOWER.test(c) ? upper(c) : c));
}

export const nospace = (text: string): string => map(text, (c) => (isSpace(c) ? '' : c));

function trim(text: string, isCut: (character: string) => boolean): string {
  const characters = Array.from(text);
  const first = characters.findIndex((character) => !isCut(character));
  const last = characters.findLastIndex((character) => !isCut(character));
  return first < 0 ? '' : characters.slice(first, last + 1).join('');
}

export const trimSpace = (text: string): string => trim(text, isSpace);

/** @param cut characters to remove at both ends */
export function trimAll(cut: string, text: string): string {
  const cuts = new Set(cut);
  return trim(text, (character) => cuts.has(character));
}

/** @throws InterpolateError where a bound is outside of the text */
function bytes(text: string, start: number, end: number, helper: string): string {
  const all = Buffer.from(text);
  if (start < 0 || end > all.length || start > end) {
    throw new InterpolateError(
      `${helper}: ${start} to ${end} is not within a text of ${all.length} bytes`,
    );
  }
  return all.toString('utf8', start, end);
}

export function trunc(length: number, text: string): string {
  return Buffer.byteLength(text) <= length ? text : bytes(text, 0, length, 'trunc');
}

/** A negative `start` is the beginning, a negative `end` the end. */
export function substr(start: number, end: number, text: string): string {
  if (start < 0) return bytes(text, 0, end, 'substr');
  return bytes(text, start, end < 0 ? Buffer.byteLength(text) : end, 'substr');
}

/** `width` bytes in all, with `...`. */
export function abbrev(width: number, text: string): string {
  return width < 4 ? text : abbreviate(text, 0, width);
}

export function abbrevboth(offset: number, width: number, text: string): string {
  return width < 4 || (offset > 0 && width < 7) ? text : abbreviate(text, offset, width);
}

function abbreviate(text: string, offset: number, width: number): string {
  const all = Buffer.from(text);
  if (all.length <= width) return text;
  const from = Math.min(offset, all.length - (width - 3));
  if (from <= 4) return `${all.toString('utf8', 0, width - 3)}...`;
  if (from + width - 3 < all.length) {
    // As in the Go library, a small rest is left out.
    const rest = all.toString('utf8', from);
    return `...${width - 3 < 4 ? '' : abbreviate(rest, 0, width - 3)}`;
  }
  return `...${all.toString('utf8', all.length - (width - 3))}`;
}

/** `some_words` → `SomeWords`. One `_` of several stays, and those at the ends. */
export function camelcase(text: string): string {
  const characters = Array.from(text);
  const first = characters.findIndex((character) => character !== '_');
  if (first < 0) return text;
  let changed = '_'.repeat(first);
  let before = upper(characters[first] ?? '');
  for (const character of characters.slice(first + 1)) {
    if (before === '_' && character !== '_') {
      before = upper(character);
    } else {
      changed += before;
      before = character;
    }
  }
  return changed + before;
}

/** `HTTPServer` → `http_server`; spaces and hyphens become `_`. */
export function snakecase(text: string): string {
  return text
    .replace(/[ -]/g, '_')
    .replace(/(\p{Lu})(?=\p{Lu}[^\p{Lu}_])/gu, '$1_')
    .replace(/([^\p{Lu}_])(?=\p{Lu})/gu, '$1_')
    .replace(/\p{Lu}/gu, lower);
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const DIGITS = '0123456789';
const CHARACTERS = {
  randAlphaNum: LETTERS + DIGITS,
  randAlpha: LETTERS,
  randNumeric: DIGITS,
  randASCII: Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join(''),
};
export type RandomHelper = keyof typeof CHARACTERS;

export function random(helper: RandomHelper, count: number): string {
  const from = CHARACTERS[helper];
  let text = '';
  for (let i = 0; i < count; i++) text += from.charAt(randomInt(from.length));
  return text;
}

export function shuffle(text: string): string {
  const characters = Array.from(text);
  for (let i = characters.length - 1; i > 0; i--) {
    const j = randomInt(i + 1);
    [characters[i], characters[j]] = [characters[j] ?? '', characters[i] ?? ''];
  }
  return characters.join('');
}
