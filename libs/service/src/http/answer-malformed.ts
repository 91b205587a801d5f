import type { Duplex } from 'node:stream';
import { STATUS_CODES } from 'node:http';
import { CdsError } from '@cds/wire';

/** What Node's parser could not make a request of: no route sees it, so it is answered here. */
export function answerMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const refusal = new CdsError('wrongRequest', reasons[error.code ?? ''] ?? malformed);
  const body = JSON.stringify(refusal.toBody());
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
}

const malformed = { status: 400, from: 'this is not an HTTP request' };

const reasons: Partial<Record<string, { status: number; from: string }>> = {
  HPE_HEADER_OVERFLOW: { status: 431, from: 'the headers exceed 1 MiB' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, from: 'the request came too slowly' },
};
