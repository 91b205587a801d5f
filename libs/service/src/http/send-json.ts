import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** CDS's type, without the charset that Express would add. */
export const JSON_TYPE = 'application/json';

/** Answers with `body` as JSON. */
export function sendJson(res: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  res.statusCode = status;
  res.setHeader('Content-Type', JSON_TYPE);
  res.setHeader('Content-Length', Buffer.byteLength(text));
  res.end(text);
}

/** Answers with bytes that many answers may share: who does not read holds no copy. */
export function sendBytes(res: ServerResponse, type: string, bytes: Buffer): void {
  res.setHeader('Content-Type', type);
  res.setHeader('Content-Length', bytes.length);
  res.end(bytes);
}

/**
 * Answers 200 with one JSON array, entries by entries as they are read, so that a long list is
 * never whole in memory and blocks no other request.
 * @throws what `parts` throws before its first entries. After them it breaks the connection off, so
 *   that a part is not taken for the whole list.
 */
export async function sendJsonList(
  res: ServerResponse,
  parts: AsyncIterable<readonly unknown[]>,
): Promise<void> {
  const iterator = parts[Symbol.asyncIterator]();
  const first = await iterator.next();
  res.statusCode = 200;
  res.setHeader('Content-Type', JSON_TYPE);
  try {
    await pipeline(Readable.from(textOf(first, iterator)), res);
  } catch (error) {
    // The client has gone.
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}

async function* textOf(
  first: IteratorResult<readonly unknown[]>,
  rest: AsyncIterator<readonly unknown[]>,
): AsyncGenerator<string> {
  try {
    let before = '[';
    for (let next = first; !next.done; next = await rest.next()) {
      if (next.value.length === 0) continue;
      yield before + JSON.stringify(next.value).slice(1, -1);
      before = ',';
    }
    yield before === '[' ? '[]' : ']';
  } finally {
    await rest.return?.();
  }
}
