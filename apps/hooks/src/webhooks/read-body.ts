import type { IncomingMessage, ServerResponse } from 'node:http';
import { CdsError } from '@cds/wire';

/** Bitbucket sends 256 KB at most. */
const MAX_BODY_BYTES = 1024 * 1024;

/** What a sender may still send after it was refused, so that it reads the answer instead of a broken connection. */
const LINGER_BYTES = 4 * MAX_BODY_BYTES;
const LINGER_MS = 1_000;

/**
 * The whole raw body. Slow senders are ended by the server's request timeout.
 *
 * @throws CdsError 413 as soon as it is known to be too large; nothing more of it is kept
 * @throws ClientGoneError when the sender broke off
 */
export async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  limit = MAX_BODY_BYTES,
): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > limit)
    throw refuse(request, response, limit);
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
      reject(refuse(request, response, limit));
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

function refuse(request: IncomingMessage, response: ServerResponse, limit: number): CdsError {
  let discarded = 0;
  request.on('data', (chunk: Buffer) => {
    discarded += chunk.length;
    if (discarded > LINGER_BYTES) request.destroy();
  });
  request.on('error', () => undefined);
  response.once('finish', () => {
    const timer = setTimeout(() => request.destroy(), LINGER_MS);
    request.once('close', () => clearTimeout(timer));
  });
  return new CdsError('tooLarge', {
    from: `the body is larger than ${limit} bytes: Bitbucket Cloud sends at most 256 KB`,
    headers: { Connection: 'close' },
  });
}
