/**
 * Cuts the text of one top-level property out of a JSON object, as it was written: numbers beyond 2^53,
 * order and spaces stay. Of several properties of that name the last one counts, as for `JSON.parse`.
 *
 * One pass over the characters, without recursion.
 *
 * @param json text that `JSON.parse` accepts; what is returned for other text is unspecified
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

function skipSpace(json: string, from: number): number {
  let at = from;
  while (at < json.length && ' \t\n\r'.includes(json.charAt(at))) at++;
  return at;
}

/** The index after the closing quote of the string that opens at `from`. */
function skipString(json: string, from: number): number {
  let at = from + 1;
  while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** The index of the comma or brace that ends the value which begins at `from`. */
function skipValue(json: string, from: number): number {
  let depth = 0;
  for (let at = from; at < json.length; at++) {
    switch (json[at]) {
      case '"':
        at = skipString(json, at) - 1;
        break;
      case '{':
      case '[':
        depth++;
        break;
      case '}':
      case ']':
        if (depth === 0) return at;
        depth--;
        break;
      case ',':
        if (depth === 0) return at;
    }
  }
  return json.length;
}
