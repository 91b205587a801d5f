const [OPEN_BRACE, OPEN_BRACKET, COMMA, COLON] = [0x7b, 0x5b, 0x2c, 0x3a];

/**
 * Whether a JSON text may hold more than `most` values: a small text (`[{},{},…`) can take a
 * hundred times its size in memory. Brackets and commas in strings count too: a cheap upper bound.
 */
export function isTooComplex(json: Uint8Array, most: number): boolean {
  let count = 0;
  // By index: an iterator makes an object for each byte, of which an answer may have millions.
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at];
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET || byte === COMMA || byte === COLON) {
      count += 1;
      if (count > most) return true;
    }
  }
  return false;
}
