import { isTooComplex } from '@cds/network';

/** Far more than a hook has. One user may have saved what is larger. */
const MAX_ENTRY_BYTES = 1024 * 1024;
const MAX_ENTRY_VALUES = 50_000;
/** Scanned between two turns of others: some milliseconds. */
const SCAN_BYTES = 1024 * 1024;

const [OPEN, CLOSE, OPEN_OBJECT, CLOSE_OBJECT, COMMA, QUOTE, BACKSLASH] = Buffer.from('[]{},"\\');
const isBlank = (text: string): boolean => /^[ \t\r\n]*$/.test(text);

/** An entry that is not parsed, since it is too large. */
export class OversizedEntry {
  constructor(
    readonly why: string,
    /** Its uuid, where its first MiB has one. */
    readonly uuid: string | undefined,
  ) {}
}

/** Nothing is wrong: who reads may let others have their turn. */
export const PAUSE = Symbol('pause');

/**
 * Reads the entries of a JSON array one by one: parsing tens of thousands in one go would block the
 * process for seconds and take many times their size in memory.
 * @param pieces the text, in whatever pieces it came; `null` is an empty list, as Go writes it
 * @returns the value of each entry, {@link OversizedEntry} in place of one that is too large, and
 *   {@link PAUSE} after each MiB
 * @throws Error for everything else, once it is reached
 */
export function* jsonEntries(pieces: Iterable<Buffer>): Generator<unknown, void> {
  /** Of arrays and objects; the list itself is the first. */
  let depth = 0;
  let isText = false;
  let isEscaped = false;
  let isOver = false;
  let count = 0;
  let scannedBytes = 0;
  /** Of an entry that is too long: what is known of it. Its bytes are skipped. */
  let skipped: OversizedEntry | undefined;
  /** Of the entry, or of what is around the list: what earlier pieces held. */
  let held: Buffer[] = [];
  let heldBytes = 0;

  function hold(piece: Buffer, isEntry: boolean): void {
    if (skipped) return;
    held.push(piece);
    heldBytes += piece.length;
    if (heldBytes <= MAX_ENTRY_BYTES) return;
    if (!isEntry) throw new Error('not one list');
    skipped = oversized(Buffer.concat(held), 'it is longer than 1 MiB');
    held = [];
    heldBytes = 0;
  }

  function take(piece: Buffer, isEntry = false): Buffer {
    hold(piece, isEntry);
    const entry = Buffer.concat(held);
    held = [];
    heldBytes = 0;
    return entry;
  }

  function parse(piece: Buffer): unknown {
    const entry = take(piece, true);
    count += 1;
    if (skipped) {
      const found = skipped;
      skipped = undefined;
      return found;
    }
    if (isTooComplex(entry, MAX_ENTRY_VALUES)) {
      const most = MAX_ENTRY_VALUES.toLocaleString('en');
      return oversized(entry, `it holds more than ${most} values`);
    }
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
        const isEmpty =
          count === 0 && !skipped && isBlank(Buffer.concat([...held, last]).toString());
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
    hold(piece.subarray(start), depth > 0);
    scannedBytes += piece.length;
    if (scannedBytes < SCAN_BYTES) continue;
    scannedBytes = 0;
    yield PAUSE;
  }
  if (depth > 0) throw new Error('the list has no end');
  const rest = take(Buffer.alloc(0)).toString();
  if (!isBlank(rest) && (isOver || rest.trim() !== 'null')) throw new Error('not one list');
  if (isBlank(rest) && !isOver) throw new Error('nothing');
}

function oversized(entry: Buffer, why: string): OversizedEntry {
  return new OversizedEntry(why, uuidIn(entry.subarray(0, MAX_ENTRY_BYTES)));
}

const MAX_UUID_BYTES = 128;
const USABLE_UUID = /^[A-Za-z0-9._=+-]+$/;
const KEY_END = /^[ \t\r\n]*:/;

/** The text under the key `uuid` of an object that may be cut off, without parsing it. */
function uuidIn(object: Buffer): string | undefined {
  let depth = 0;
  let textStart = -1;
  let isEscaped = false;
  let isUuidNext = false;
  for (let at = 0; at < object.length; at += 1) {
    const byte = object[at];
    if (textStart >= 0) {
      const wasEscaped: boolean = isEscaped;
      isEscaped = !wasEscaped && byte === BACKSLASH;
      if (wasEscaped || byte !== QUOTE) continue;
      if (depth === 1 && at - textStart <= MAX_UUID_BYTES) {
        const text = object.toString('latin1', textStart, at);
        if (isUuidNext) return USABLE_UUID.test(text) ? text : undefined;
        isUuidNext = text === 'uuid' && KEY_END.test(object.toString('latin1', at + 1, at + 9));
      }
      textStart = -1;
    } else if (byte === QUOTE) textStart = at + 1;
    else if (byte === OPEN || byte === OPEN_OBJECT) depth += 1;
    else if (byte === CLOSE || byte === CLOSE_OBJECT) depth -= 1;
    else if (byte === COMMA) isUuidNext = false;
  }
  return undefined;
}
