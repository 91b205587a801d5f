import type { IncomingMessage, ServerResponse } from 'node:http';

/** The time for a client that is still sending to read its refusal. */
const LINGER_MS = 5_000;

/**
 * Closes the connection of a request that was answered before its body was there, unless the rest,
 * which Node drops, comes soon. Closing at once could take the answer away from its reader.
 */
export function closeUnread(req: IncomingMessage, res: ServerResponse, lingerMs = LINGER_MS): void {
  res.once('finish', () => {
    if (req.complete || req.socket.destroyed) return;
    const { socket } = req;
    const timer = setTimeout(() => socket.destroy(), lingerMs).unref();
    const done = (): void => {
      clearTimeout(timer);
      // The connection goes on, and must not gather one listener for each such request.
      socket.off('close', done);
    };
    req.once('end', done);
    socket.once('close', done);
  });
}
