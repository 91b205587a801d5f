import type { Socket } from 'node:net';

/** The requests of all connections that came before the answer to the one before them was out. */
export interface PipelinedRequests {
  /** Keeps a request back. */
  add(socket: Socket, serve: () => void): void;
  /** The answer of a connection is out: its next request is served, where there is one. */
  next(socket: Socket): void;
  /** The connection is gone, and its requests with it. */
  forget(socket: Socket): void;
}

/**
 * Serves one request of each connection at a time: a sender who does not read its answer gets no
 * other. Between two requests of a connection others are served.
 * @param limits.most requests that may wait, of all connections together
 * @param limits.cut is called with the connection that waited longest when there are more
 */
export function queuePipelined(limits: {
  most: number;
  cut: (socket: Socket) => void;
}): PipelinedRequests {
  // In the order of waiting, the longest first.
  const waiting = new Map<Socket, (() => void)[]>();
  let total = 0;

  function forget(socket: Socket): void {
    total -= waiting.get(socket)?.length ?? 0;
    waiting.delete(socket);
  }

  return {
    add(socket, serve) {
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
    next(socket) {
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
