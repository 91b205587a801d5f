/**
 * The URL that a text is, relative to `base` where that is given; undefined where it is none.
 *
 * `URL.canParse` of Node.js 20 refuses what has an `ü` or another letter of Latin-1 after some
 * thousands of calls, when V8 calls it with the bytes of the text as if they were UTF-8.
 */
export function parseUrl(text: string, base?: string): URL | undefined {
  try {
    return new URL(text, base);
  } catch {
    return undefined;
  }
}
