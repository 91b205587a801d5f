import type { Socket } from 'node:net';

/**
 * Serves one request of each connection at a time: a sender who does not read its answer gets no
 * other. Between two requests of a connection others are served.
 * @param limits.most requests that may wait, of all connections together
 * @param limits.cut is called with the connection that waited longest when there are more
 */
export function queuePipelined(limits: { most: number; cut: (socket: Socket) => void }) {
  // In the order of waiting, the longest first.
  const waiting = new Map<Socket, (() => void)[]>();
  let total = 0;

  function forget(socket: Socket): void {
    total -= waiting.get(socket)?.length ?? 0;
    waiting.delete(socket);
  }

  return {
    /** Queues a request that came before the answer to the one before it was sent. */
    add(socket: Socket, serve: () => void): void {
      const own = waiting.get(socket);
      if (own) own.push(serve);
      else waiting.set(socket, [serve]);
      total += 1;
      for (const longest of waiting.keys()) {
        if (total <= limits.most) return;
        forget(longest);
        limits.cut(longest);
      }
    },
    /** Serves the next request of a connection whose answer was sent. */
    next(socket: Socket): void {
      const own = waiting.get(socket);
      const serve = own?.shift();
      if (!own || !serve) return;
      total -= 1;
      if (own.length === 0) waiting.delete(socket);
      // Not at once: the requests of one read would be served in a row.
      setImmediate(() => {
        if (socket.writable) serve();
      });
    },
    forget,
  };
}
