/** Deeper values are not indented further, so that the text stays in proportion. */
const MAX_INDENT = 20;

/**
 * Lays JSON out over lines, as far as `maxLength` characters of it. Values stay as they were sent;
 * what is no JSON is laid out somehow, in the same bounds.
 */
export function prettyJson(json: string, maxLength: number): { text: string; isWhole: boolean } {
  let text = '';
  let depth = 0;
  let at = 0;
  const newLine = () => `\n${'  '.repeat(Math.min(depth, MAX_INDENT))}`;
  for (; at < json.length && text.length < maxLength; at += 1) {
    const sign = json[at] ?? '';
    if (sign === '"') {
      const end = endOfString(json, at);
      text += json.slice(at, Math.min(end, at + maxLength));
      at = end - 1;
    } else if (sign === '{' || sign === '[') {
      const next = nextSign(json, at + 1);
      if (json[next] === (sign === '{' ? '}' : ']')) {
        text += sign + (json[next] ?? '');
        at = next;
      } else {
        depth += 1;
        text += sign + newLine();
      }
    } else if (sign === '}' || sign === ']') {
      depth = Math.max(0, depth - 1);
      text += newLine() + sign;
    } else if (sign === ',') text += sign + newLine();
    else if (sign === ':') text += ': ';
    else if (!isSpace(sign)) text += sign;
  }
  return { text: text.slice(0, maxLength), isWhole: at >= json.length && text.length <= maxLength };
}

/** Behind the quote that closes the string that opens at `start`. */
function endOfString(json: string, start: number): number {
  for (let at = start + 1; at < json.length; at += 1) {
    if (json[at] === '\\') at += 1;
    else if (json[at] === '"') return at + 1;
  }
  return json.length;
}

function nextSign(json: string, from: number): number {
  let at = from;
  while (at < json.length && isSpace(json[at] ?? '')) at += 1;
  return at;
}

function isSpace(sign: string): boolean {
  return sign === ' ' || sign === '\n' || sign === '\r' || sign === '\t';
}
