import type { IncomingMessage, ServerResponse } from 'node:http';
import { tooLarge } from './refusal';

/** Bitbucket sends 256 KB at most. */
const MAX_BODY_BYTES = 1024 * 1024;

/** What a sender may still send after it was refused, so that it reads the answer instead of a broken connection. */
const LINGER_BYTES = 4 * MAX_BODY_BYTES;
const LINGER_MS = 1_000;

/**
 * The whole raw body. Slow senders are ended by the server's request timeout.
 *
 * @throws Refusal 413 as soon as it is known to be too large; nothing more of it is kept
 * @throws ClientGoneError when the sender broke off
 */
export async function readBody(request: IncomingMessage, limit = MAX_BODY_BYTES): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
  // It may have gone before this was called, and tells nobody a second time.
  if (request.destroyed) throw new ClientGoneError();
  const chunks: Buffer[] = [];
  let size = 0;
  return new Promise((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) {
        chunks.push(chunk);
        return;
      }
      chunks.length = 0;
      request.removeAllListeners('data');
      reject(tooLarge(limit));
    });
    request.once('end', () => resolve(Buffer.concat(chunks, size)));
    request.once('error', () => reject(new ClientGoneError()));
    request.once('close', () => {
      if (!request.complete) reject(new ClientGoneError());
    });
  });
}

/** The sender broke off: there is nobody to answer. */
export class ClientGoneError extends Error {
  override readonly name = 'ClientGoneError';
  constructor() {
    super('the sender broke off before the end of the body');
  }
}

/**
 * To be called before a sender is answered whose body nobody reads to its end. What still comes is dropped, for a
 * moment and up to a bound; then the connection is cut.
 *
 * Node would close the connection right after an answer that ends it. Closing over bytes that nobody has read resets
 * it, and the sender, which is still sending, never sees the answer.
 */
export function dropRestOfBody(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete || request.destroyed) return;
  const { socket } = request;
  let ended = false;
  socket.destroySoon = () => {
    ended = true;
    socket.end();
  };
  let dropped = 0;
  request.on('data', (chunk: Buffer) => {
    dropped += chunk.length;
    if (dropped > LINGER_BYTES) socket.destroy();
  });
  request.on('error', () => undefined);
  request.once('end', () => Reflect.deleteProperty(socket, 'destroySoon'));
  response.once('finish', () => {
    setTimeout(() => {
      if (ended || !request.complete) socket.destroy();
    }, LINGER_MS).unref();
  });
}
