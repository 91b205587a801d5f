import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BodyBudget } from './body-budget';
import { crowdedOut, tooLarge, tooManyPieces, tooSlow } from './refusal';

/** Bitbucket sends 256 KB at most. */
const MAX_BODY_BYTES = 1024 * 1024;

/** Each piece takes some microseconds. A body that comes over a slow line has some hundred. */
const MAX_PIECES = 5_000;

/** What a sender may still send after it was refused, so that it reads the answer instead of a broken connection. */
const LINGER_BYTES = 4 * MAX_BODY_BYTES;
const LINGER_MS = 1_000;

/**
 * The whole raw body.
 *
 * Pieces are copied together as they come: a megabyte that comes in pieces of one byte would else take a hundred.
 *
 * @throws Refusal 413 as soon as it is known to be too large, 400 when it comes in too many pieces, 503 when its memory is
 *   needed for others or it took too long; nothing more of it is kept
 * @throws ClientGoneError when the sender broke off
 */
export async function readBody(
  request: IncomingMessage,
  budget: BodyBudget,
  limit = MAX_BODY_BYTES,
): Promise<Buffer> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > limit) throw tooLarge(limit);
  // It may have gone before this was called, and tells nobody a second time.
  if (request.destroyed) throw new ClientGoneError();
  return new Promise((resolve, reject) => {
    let body: Buffer = Buffer.alloc(0);
    let size = 0;
    let pieces = 0;
    const memory = budget.begin((why) =>
      end(() => reject(why === 'too-slow' ? tooSlow() : crowdedOut())),
    );

    const keep = (chunk: Buffer) => {
      // All of it at once, as most are: nothing is to be copied together.
      if (chunk.length === declared && declared <= limit) {
        body = chunk;
        size = chunk.length;
        return memory.holds(size);
      }
      if (size + chunk.length > limit) return end(() => reject(tooLarge(limit)));
      if (++pieces > MAX_PIECES) return end(() => reject(tooManyPieces()));
      if (size + chunk.length > body.length) {
        const larger = Buffer.allocUnsafeSlow(
          Math.min(limit, Math.max(2 * body.length, size + chunk.length)),
        );
        body.copy(larger, 0, 0, size);
        body = larger;
        memory.holds(body.length);
      }
      size += chunk.copy(body, size);
    };
    const finish = () => end(() => resolve(body.subarray(0, size)));
    const breakOff = () => end(() => reject(new ClientGoneError()));

    function end(settle: () => void): void {
      request.off('data', keep).off('end', finish).off('error', breakOff).off('close', breakOff);
      memory.release();
      settle();
      body = Buffer.alloc(0);
      size = 0;
    }
    request.on('data', keep).once('end', finish).once('error', breakOff).once('close', breakOff);
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
    dropped += Math.max(chunk.length, LINGER_BYTES / MAX_PIECES);
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
