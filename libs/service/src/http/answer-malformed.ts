import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { STATUS_CODES } from 'node:http';
import { CdsError } from '@cds/wire';

/** Time for the peer to read the answer; then the socket is destroyed. */
const LINGER_MS = 1_000;

/** Answers what Node's parser cannot make a request of: no route sees it. */
export function answerMalformed(maxHeaderBytes: number, maxHeaders = Infinity) {
  const tooLong = `the headers exceed ${maxHeaderBytes / 1024} KiB`;
  // From Node 24 on one error stands for both.
  const tooMany = maxHeaders < Infinity ? `, or there are more than ${maxHeaders} headers` : '';
  const reasons: Partial<Record<string, { status: number; from: string }>> = {
    HPE_HEADER_OVERFLOW: { status: 431, from: tooLong + tooMany },
    ERR_HTTP_REQUEST_TIMEOUT: { status: 408, from: 'the request came too slowly' },
  };
  return (error: NodeJS.ErrnoException, socket: Duplex): void => {
    // Answered already: the parser reports each further piece of it. The socket lingers.
    if (socket.writableEnded) return;
    if (!socket.writable || error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    refuse(socket, new CdsError('wrongRequest', reasons[error.code ?? ''] ?? malformed));
  };
}

/** CONNECT asks for a proxy, which this is not. Node would hang up without a word. */
export function answerConnect(_request: IncomingMessage, socket: Duplex): void {
  refuse(socket, new CdsError('notFound'));
}

/** Answers a request that has no answer yet, and closes, whether or not the sender reads. */
export function hangUp(socket: Socket, refusal: CdsError): void {
  if (socket.writable) socket.end(answerOf(refusal));
  socket.destroySoon();
}

/** {@link hangUp} with a 503, for what another try may mend. */
export function hangUpForNow(socket: Socket, from: string): void {
  hangUp(socket, new CdsError('unavailable', { from, headers: { 'Retry-After': '5' } }));
}

function refuse(socket: Duplex, refusal: CdsError): void {
  socket.on('error', () => socket.destroy());
  // Closing over unread bytes would reset the connection, and the answer with it.
  socket.resume();
  socket.end(answerOf(refusal));
  const lingering = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(lingering));
}

function answerOf(refusal: CdsError): string {
  const body = JSON.stringify(refusal.toBody());
  return [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}`,
    'Content-Type: application/json',
    ...Object.entries(refusal.headers).map(([name, value]) => `${name}: ${value}`),
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}

export function tooManyHeaders(most: number): CdsError {
  return new CdsError('wrongRequest', { status: 431, from: `there are more than ${most} headers` });
}

const malformed = { status: 400, from: 'this is not an HTTP request' };
