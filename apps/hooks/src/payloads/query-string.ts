import { MAX_VARIABLES } from './flatten-json';

export type QueryPair = [name: string, value: string];

/** A `%` without two hexadecimal digits, and what follows instead. */
const INVALID_ESCAPE = /%(?![0-9a-f]{2}).{0,2}/is;

/** Text without an escape. */
const IS_PLAIN = /^[\x20-\x24\x26-\x2a\x2c-\x7e]*$/;

/**
 * Reads a query, or a form-encoded body, as Go's `url.ParseQuery` did in CDS 0.41: `&` and `;`
 * separate, `+` is a space, a pair without `=` has an empty value. Pairs without a name are
 * skipped. Bytes that are no UTF-8 become U+FFFD.
 *
 * @param text the raw text; of a body one character per byte (latin1)
 * @returns the pairs, or what is wrong: the first escape that cannot be decoded, or too many pairs
 */
export function parseQuery(text: string): { pairs: QueryPair[] } | { problem: string } {
  const invalid = INVALID_ESCAPE.exec(text);
  if (invalid) {
    return {
      problem:
        `${JSON.stringify(invalid[0])}, which is no percent-encoded byte: write a percent sign ` +
        'as %25',
    };
  }
  const pairs: QueryPair[] = [];
  // Pairs without a name are not cut out: a megabyte of `&` holds nothing else.
  for (const [piece] of text.matchAll(/(?<![^&;])[^&;=][^&;]*/g)) {
    const equals = piece.indexOf('=');
    const name = decode(equals < 0 ? piece : piece.slice(0, equals));
    if (name === '') continue;
    if (pairs.length === MAX_VARIABLES) {
      return { problem: `more than ${MAX_VARIABLES} values: send fewer` };
    }
    pairs.push([name, equals < 0 ? '' : decode(piece.slice(equals + 1))]);
  }
  return { pairs };
}

/** Whether every escape of the raw query (without its `?`) can be decoded. */
export function isDecodableQuery(query: string): boolean {
  return !INVALID_ESCAPE.test(query);
}

const [PERCENT, PLUS, SPACE] = [0x25, 0x2b, 0x20];

/** One character per byte in, text out. Every `%` is one of an escape. */
function decode(escaped: string): string {
  if (IS_PLAIN.test(escaped)) return escaped;
  // The result is never longer, so it is written over its source.
  const bytes = Buffer.from(escaped, 'latin1');
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === PERCENT) {
      bytes[length++] = Number.parseInt(escaped.slice(at + 1, at + 3), 16);
      at += 2;
    } else {
      bytes[length++] = byte === PLUS ? SPACE : byte;
    }
  }
  return bytes.toString('utf8', 0, length);
}
