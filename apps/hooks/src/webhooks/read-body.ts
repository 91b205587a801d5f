import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BodyBudget } from './body-budget';
import { Refusal } from './refusal';

/** Bitbucket sends 256 KB at most. */
const MAX_BODY_BYTES = 1024 * 1024;

/** Each piece takes some microseconds. A body over a slow line has some hundred pieces. */
const MAX_PIECES = 5_000;

/** What a refused sender may still send, so that it reads the answer, not a broken connection. */
const LINGER_BYTES = 4 * MAX_BODY_BYTES;
const LINGER_MS = 1_000;

/**
 * Reads the whole raw body.
 *
 * Pieces are copied together as they come: a megabyte in pieces of one byte would else take a
 * hundred.
 *
 * @throws Refusal 413 when the body is too large, 400 when it has too many pieces, 503 when the
 *   memory is full or the body took too long
 * @throws ClientGoneError when the sender broke off
 */
export async function readBody(
  request: IncomingMessage,
  budget: BodyBudget,
  limit = MAX_BODY_BYTES,
): Promise<Buffer> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > limit) throw tooLarge(limit);
  // A request that was destroyed before this call emits no event any more.
  if (request.destroyed) throw new ClientGoneError();
  return new Promise((resolve, reject) => {
    let body: Buffer = Buffer.alloc(0);
    let size = 0;
    let pieces = 0;
    const memory = budget.begin((why) => end(() => reject(new Refusal(why))));

    const keep = (chunk: Buffer) => {
      // Most bodies come in one piece, which needs no copy.
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

function tooLarge(limitBytes: number): Refusal {
  return new Refusal('too_large', {
    from: `the body is larger than ${limitBytes} bytes: Bitbucket Cloud sends at most 256 KB`,
  });
}

function tooManyPieces(): Refusal {
  return new Refusal('malformed', {
    from: 'the body comes in too many small pieces: send larger ones',
    headers: { Connection: 'close' },
  });
}

/** The sender broke off, so there is nobody to answer. */
export class ClientGoneError extends Error {
  override readonly name = 'ClientGoneError';
  constructor() {
    super('the sender broke off before the end of the body');
  }
}

/**
 * Call before a sender is answered whose body is not read to its end. The rest is dropped, up to
 * {@link LINGER_BYTES} and {@link LINGER_MS}; then the connection is cut.
 *
 * Node.js would close the connection right after the answer. Closing over unread bytes resets it,
 * and a sender that still sends never sees the answer.
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
