/**
 * Opening brackets, commas and colons of a JSON text outside of its strings. Reading as many blocks
 * the event loop for ten milliseconds at most. Recorded pushes have one for 17 to 34 characters, so
 * a push of 1 MiB has fewer.
 */
export const MAX_JSON_SIGNS = 65_536;

/** The text would take too long to read. */
export class JsonTooComplexError extends Error {
  override readonly name = 'JsonTooComplexError';
  constructor() {
    super(`it holds more than ${MAX_JSON_SIGNS} brackets, commas and colons: send fewer values`);
  }
}

/**
 * `JSON.parse` for text of strangers, up to 1 MiB: a megabyte of `{},{},` is not parsed.
 *
 * @throws JsonTooComplexError, also for text that is no JSON; SyntaxError
 */
export function parseBoundedJson(text: string): unknown {
  if (text.length > MAX_JSON_SIGNS && hasTooManySigns(text)) throw new JsonTooComplexError();
  return JSON.parse(text) as unknown;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

function hasTooManySigns(text: string): boolean {
  let signs = 0;
  let isInString = false;
  for (let at = 0; at < text.length && signs <= MAX_JSON_SIGNS; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) isInString = !isInString;
    else if (isInString) at += code === BACKSLASH ? 1 : 0;
    else if (code === COMMA || code === COLON || isOpening(code)) signs += 1;
  }
  return signs > MAX_JSON_SIGNS;
}

/** `[` or `{`, which differ in one bit. */
function isOpening(code: number): boolean {
  return (code & ~0x20) === 0x5b;
}
