const STRUCTURE = new Set(Array.from('{[,:', (character) => character.charCodeAt(0)));

/**
 * Whether a JSON text may hold more than `most` values. A text can become a hundred times its size in memory (`[{},{},…`), so that
 * its length alone bounds little. Brackets and commas within strings count too: it is an upper bound, and cheap.
 */
export function isTooComplex(json: Uint8Array, most: number): boolean {
  let count = 0;
  for (const byte of json) {
    if (STRUCTURE.has(byte) && ++count > most) return true;
  }
  return false;
}
