/**
 * Cuts the text of one top-level property out of a JSON object: numbers beyond 2^53, order and
 * spaces stay. Of several properties of that name the last one counts, as for `JSON.parse`. One
 * pass over the characters, without recursion.
 *
 * @param json text that `JSON.parse` accepts
 * @returns undefined when the text holds no object, or no such property
 */
export function cutJsonProperty(json: string, property: string): string | undefined {
  let at = skipSpace(json, 0);
  if (json[at] !== '{') return undefined;
  let found: string | undefined;
  at = skipSpace(json, at + 1);
  while (json[at] === '"') {
    const keyEnd = skipString(json, at);
    const key: unknown = JSON.parse(json.slice(at, keyEnd));
    const valueStart = skipSpace(json, skipSpace(json, keyEnd) + 1); // past the colon
    const valueEnd = skipValue(json, valueStart);
    if (key === property) found = json.slice(valueStart, valueEnd).trimEnd();
    at = skipSpace(json, valueEnd + 1); // past the comma or the closing brace
  }
  return found;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

function skipSpace(json: string, from: number): number {
  let at = from;
  while (at < json.length && ' \t\n\r'.includes(json.charAt(at))) at++;
  return at;
}

/** The index after the closing quote of the string that opens at `from`. */
function skipString(json: string, from: number): number {
  for (let quote = json.indexOf('"', from + 1); quote >= 0; quote = json.indexOf('"', quote + 1)) {
    // A quote after an odd number of backslashes is part of the string.
    let before = quote - 1;
    while (json.charCodeAt(before) === BACKSLASH) before--;
    if ((quote - before) % 2 === 1) return quote + 1;
  }
  return json.length;
}

/** The index of the comma or brace that ends the value which begins at `from`. */
function skipValue(json: string, from: number): number {
  let depth = 0;
  for (let at = from; at < json.length; at++) {
    switch (json.charCodeAt(at)) {
      case QUOTE:
        at = skipString(json, at) - 1;
        break;
      case OPENING_BRACE:
      case OPENING_BRACKET:
        depth++;
        break;
      case CLOSING_BRACE:
      case CLOSING_BRACKET:
        if (depth === 0) return at;
        depth--;
        break;
      case COMMA:
        if (depth === 0) return at;
    }
  }
  return json.length;
}
