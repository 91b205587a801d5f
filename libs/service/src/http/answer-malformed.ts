import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { STATUS_CODES } from 'node:http';
import { CdsError } from '@cds/wire';

/** Time for the other side to read the answer; then the socket is let go, whether or not it closes. */
const LINGER_MS = 1_000;

/** What Node's parser could not make a request of: no route sees it, so it is answered here. */
export function answerMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  // Answered already: the parser tells of each further piece of the same nonsense. The socket lingers.
  if (socket.writableEnded) return;
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  refuse(socket, new CdsError('wrongRequest', reasons[error.code ?? ''] ?? malformed));
}

/** CONNECT asks for a proxy, which this is not. Node would hang up without a word. */
export function answerConnect(_request: IncomingMessage, socket: Duplex): void {
  refuse(socket, new CdsError('notFound'));
}

function refuse(socket: Duplex, refusal: CdsError): void {
  const body = JSON.stringify(refusal.toBody());
  socket.on('error', () => socket.destroy());
  // What still comes in is read and dropped: closing over unread bytes resets the connection, and the answer with it.
  socket.resume();
  socket.end(
    [
      `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}`,
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
  const lingering = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(lingering));
}

const malformed = { status: 400, from: 'this is not an HTTP request' };

const reasons: Partial<Record<string, { status: number; from: string }>> = {
  HPE_HEADER_OVERFLOW: { status: 431, from: 'the headers exceed 256 KiB' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, from: 'the request came too slowly' },
};
