import { posix } from 'node:path';
import { textOf, type Value } from './value';

/** The character that a letter after a backslash stands for. */
export const GO_ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
};
const LETTERS = new Map(
  Object.entries(GO_ESCAPES).map(([letter, character]) => [character, letter]),
);
/** Go does not escape these. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/** A Go string literal in double quotes. */
export function goQuote(text: string): string {
  let quoted = '';
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    const letter = LETTERS.get(character);
    if (letter !== undefined) quoted += `\\${letter}`;
    else if (PRINTABLE.test(character)) quoted += character;
    else if (code < 0x80) quoted += `\\x${code.toString(16).padStart(2, '0')}`;
    else if (code < 0x10000) quoted += `\\u${code.toString(16).padStart(4, '0')}`;
    else quoted += `\\U${code.toString(16).padStart(8, '0')}`;
  }
  return `"${quoted}"`;
}

/** Escapes the characters of HTML too, as Go's encoder. */
export function toJson(value: Value): string {
  if (typeof value !== 'string') return value === null ? 'null' : textOf(value);
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Invalid text gives the message of Go's error, as in CDS. */
export function fromBase64(text: string): string {
  const stripped = text.replace(/[\r\n]/g, '');
  const wrong = stripped.search(/[^A-Za-z0-9+/](?!=?$)|[^A-Za-z0-9+/=]$/);
  const isWhole = stripped.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(stripped);
  if (wrong < 0 && isWhole) return Buffer.from(stripped, 'base64').toString();
  const at = wrong < 0 ? Math.floor(stripped.length / 4) * 4 : wrong;
  return `illegal base64 data at input byte ${at}`;
}

export function urlencode(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString())
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
}

function clean(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

export function dirname(path: string): string {
  return clean(path.slice(0, path.lastIndexOf('/') + 1));
}

export function basename(path: string): string {
  if (path === '') return '.';
  let end = path.length;
  while (end > 0 && path[end - 1] === '/') end--;
  return end === 0 ? '/' : path.slice(path.lastIndexOf('/', end - 1) + 1, end);
}

export function indent(spaces: number, text: string): string {
  const pad = ' '.repeat(spaces);
  return pad + text.replaceAll('\n', `\n${pad}`);
}
