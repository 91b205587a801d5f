import { isTooComplex } from '@cds/wire';

/** Far more than a hook has; what is longer, or has more values, is not an answer of the API. */
const LARGEST_ENTRY_BYTES = 1024 * 1024;
const MOST_VALUES_OF_ENTRY = 50_000;

const [OPEN, CLOSE, OPEN_OBJECT, CLOSE_OBJECT, COMMA, QUOTE, BACKSLASH] = Buffer.from('[]{},"\\');
const isBlank = (text: string): boolean => /^[ \t\r\n]*$/.test(text);

/**
 * The entries of a JSON array, read one by one: a list of tens of thousands, parsed in one go, would hold up the process
 * for seconds and take many times its size in memory.
 *
 * @param pieces the text, in whatever pieces it came; `null` is an empty list, as Go writes it
 * @throws Error for everything else, once it is reached
 */
export function* jsonEntries(pieces: Iterable<Buffer>): Generator<unknown> {
  /** Of arrays and objects; the list itself is the first. */
  let depth = 0;
  let isText = false;
  let isEscaped = false;
  let isOver = false;
  let count = 0;
  /** Of the entry, or of what is around the list: what earlier pieces held. */
  let held: Buffer[] = [];
  let heldBytes = 0;

  function hold(piece: Buffer): void {
    held.push(piece);
    heldBytes += piece.length;
    if (heldBytes > LARGEST_ENTRY_BYTES) throw new Error('an entry is too long');
  }

  function take(piece: Buffer): Buffer {
    hold(piece);
    const entry = Buffer.concat(held);
    held = [];
    heldBytes = 0;
    return entry;
  }

  function parse(piece: Buffer): unknown {
    const entry = take(piece);
    count += 1;
    if (isTooComplex(entry, MOST_VALUES_OF_ENTRY)) throw new Error('an entry is too complex');
    return JSON.parse(entry.toString('utf8'));
  }

  for (const piece of pieces) {
    let start = 0;
    for (let at = 0; at < piece.length; at += 1) {
      const byte = piece[at];
      if (isText) {
        if (isEscaped) isEscaped = false;
        else if (byte === BACKSLASH) isEscaped = true;
        else if (byte === QUOTE) isText = false;
      } else if (byte === QUOTE) {
        isText = true;
      } else if (byte === OPEN || byte === OPEN_OBJECT) {
        depth += 1;
        if (depth > 1) continue;
        if (isOver || byte !== OPEN || !isBlank(take(piece.subarray(start, at)).toString()))
          throw new Error('not one list');
        start = at + 1;
      } else if (byte === CLOSE || byte === CLOSE_OBJECT) {
        depth -= 1;
        if (depth > 0) continue;
        if (depth < 0) throw new Error('not one list');
        const last = piece.subarray(start, at);
        const isEmpty = count === 0 && isBlank(Buffer.concat([...held, last]).toString());
        if (isEmpty) take(last);
        else yield parse(last);
        if (byte !== CLOSE) throw new Error('not one list');
        isOver = true;
        start = at + 1;
      } else if (byte === COMMA && depth === 1) {
        yield parse(piece.subarray(start, at));
        start = at + 1;
      }
    }
    hold(piece.subarray(start));
  }
  const rest = take(Buffer.alloc(0)).toString();
  if (depth > 0) throw new Error('the list has no end');
  if (!isBlank(rest) && (isOver || rest.trim() !== 'null')) throw new Error('not one list');
  if (isBlank(rest) && !isOver) throw new Error('nothing');
}
