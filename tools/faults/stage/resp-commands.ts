/** One command of a Redis client: its words, and the bytes that it was. */
export interface RespCommand {
  words: string[];
  bytes: Buffer;
}

const CRLF = Buffer.from('\r\n');

/**
 * Cuts what a Redis client sends into commands (RESP arrays of bulk strings, as ioredis writes
 * them).
 *
 * @returns a function that takes a chunk and gives the commands that it completes
 */
export function createCommandReader(): (chunk: Buffer) => RespCommand[] {
  let pending: Buffer = Buffer.alloc(0);
  return (chunk) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    const commands: RespCommand[] = [];
    let begin = 0;
    for (;;) {
      const read = readCommand(pending, begin);
      if (!read) break;
      commands.push({ words: read.words, bytes: pending.subarray(begin, read.end) });
      begin = read.end;
    }
    pending = pending.subarray(begin);
    return commands;
  };
}

function readCommand(bytes: Buffer, begin: number): { words: string[]; end: number } | undefined {
  const head = readNumber(bytes, begin, '*');
  if (!head) return undefined;
  const words: string[] = [];
  let at = head.end;
  for (let left = head.value; left > 0; left -= 1) {
    const length = readNumber(bytes, at, '$');
    if (!length || bytes.length < length.end + length.value + CRLF.length) return undefined;
    words.push(bytes.toString('utf8', length.end, length.end + length.value));
    at = length.end + length.value + CRLF.length;
  }
  return { words, end: at };
}

function readNumber(
  bytes: Buffer,
  begin: number,
  mark: '*' | '$',
): { value: number; end: number } | undefined {
  const end = bytes.indexOf(CRLF, begin);
  if (end < 0) return undefined;
  const line = bytes.toString('latin1', begin, end);
  if (!line.startsWith(mark))
    throw new Error(`Redis was sent ${JSON.stringify(line.slice(0, 50))}`);
  return { value: Number(line.slice(1)), end: end + CRLF.length };
}
