import { parse } from 'smol-toml';

/** From the path of a key or table, spelled as in the file, to its line. */
export type LineIndex = (path: readonly string[]) => number | undefined;

/** Nothing that is known lies deeper, and a key of a thousand segments is to cost little. */
const MAX_KEY_DEPTH = 32;

const SEGMENT = String.raw`(?:[\w-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')`;
const KEY = String.raw`${SEGMENT}(?:[ \t]*\.[ \t]*${SEGMENT})*`;
const SEGMENTS = new RegExp(SEGMENT, 'g');
/** What a valid document consists of, besides blanks. Strings and comments hold no keys. */
const TOKENS = new RegExp(
  // oxlint-disable-next-line regexp/no-super-linear-move -- a run that is no key is taken at once
  [
    String.raw`^\uFEFF?[ \t]*(?<header>\[\[[ \t]*${KEY}[ \t]*\]\]|\[[ \t]*${KEY}[ \t]*\])`,
    String.raw`(?<pair>${KEY})[ \t]*=`,
    String.raw`(?<punctuation>[[\]{},])`,
    String.raw`#[^\n]*`,
    String.raw`"""(?:[^\\]|\\[^])*?"{3,5}|'''[^]*?'{3,5}`,
    String.raw`"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^\s[\]{},#"'=]+`,
  ].join('|'),
  'gm',
);

/**
 * Finds the line of every key and table of a TOML document: of `[a.b]`, of `c.d = 1`, and of what
 * an inline table holds. The text must be valid TOML.
 */
export function indexLines(text: string): LineIndex {
  const lines = new Map<string, number>();
  /** Paths of the present table, and of the arrays and inline tables that are open in it. */
  let open: string[][] = [[]];
  /** Path of the present value. */
  let present: string[] = [];
  let line = 1;
  let counted = 0;

  const record = (parent: readonly string[], key: string): string[] => {
    const path = [...parent];
    for (const [segment] of key.matchAll(SEGMENTS)) {
      if (path.length > MAX_KEY_DEPTH) break;
      path.push(unquote(segment));
      const id = JSON.stringify(path);
      if (!lines.has(id)) lines.set(id, line);
    }
    return path;
  };

  for (const { index, groups: { header, pair, punctuation } = {} } of text.matchAll(TOKENS)) {
    for (; counted < index; counted++) if (text[counted] === '\n') line++;
    const within = open.at(-1) ?? [];
    if (header !== undefined && open.length === 1) open = [record([], header)];
    else if (pair !== undefined) present = record(within, pair);
    else if (punctuation === '[' || punctuation === '{') open.push(present);
    else if (punctuation === ',') present = within;
    else if (punctuation && open.length > 1) open.pop();
  }
  return (path) => lines.get(JSON.stringify(path));
}

/** The text of a segment of a key, which may have quotes. */
function unquote(segment: string): string {
  if (!segment.startsWith('"')) return segment.replace(/^'(.*)'$/, '$1');
  try {
    const { text } = parse(`text = ${segment}`);
    return typeof text === 'string' ? text : segment;
  } catch {
    // Only in a document that smol-toml refuses as well.
    return segment;
  }
}
