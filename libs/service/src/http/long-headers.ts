import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** Those of a delivery take 2 KB. */
export const ORDINARY_HEADER_BYTES = 8 * 1024;

/**
 * Headers that connections hold beyond ordinary ones: while such a request is served, and until the
 * next one, since Node's parser keeps what came in several pieces.
 */
export function createLongHeaders(limitBytes: number) {
  /** The longest held first. */
  const held = new Map<Socket, number>();
  let total = 0;

  function forget(socket: Socket): void {
    total -= held.get(socket) ?? 0;
    held.delete(socket);
  }

  return {
    forget,

    /**
     * Notes the headers of a whole request. @returns whether they are long, and all exceed the
     * limit
     */
    hold(request: IncomingMessage): { areLong: boolean; isTooMuch: boolean } {
      const { socket } = request;
      forget(socket);
      const bytes = headerBytesOf(request);
      if (bytes <= ORDINARY_HEADER_BYTES) return { areLong: false, isTooMuch: false };
      held.set(socket, bytes);
      total += bytes;
      return { areLong: true, isTooMuch: total > limitBytes };
    },

    /**
     * Calls `cut`, which must forget them, for those that `mayBeCut` until the rest fits.
     * @returns whether it does
     */
    makeRoom(mayBeCut: (socket: Socket) => boolean, cut: (socket: Socket) => void): boolean {
      for (const socket of held.keys()) {
        if (total <= limitBytes) break;
        if (mayBeCut(socket)) cut(socket);
      }
      return total <= limitBytes;
    },
  };
}

function headerBytesOf({ rawHeaders, url = '' }: IncomingMessage): number {
  let bytes = url.length;
  for (const text of rawHeaders) bytes += text.length;
  return bytes;
}
