import type { Socket } from 'node:net';

/** The pause between two looks for unread answers. Node reports no single one. */
const CHECK_EVERY_MS = 1_000;
/** A flood may leave no time for what is done now and then. */
const CHECK_EVERY_REQUESTS = 256;

/**
 * Cuts connections whose answers are not read: after a time without progress, and those that wait
 * longest when all of them together hold too much.
 * @param options.unreadMs milliseconds without progress
 * @param options.silenceMs the time for a connection that reads
 * @param options.most bytes that may wait for their readers, of all connections together
 */
export function watchUnread(options: {
  sockets: { keys(): Iterable<Socket>; size: number };
  unreadMs: number;
  silenceMs: number;
  most: number;
  cut: (socket: Socket) => void;
}) {
  const { sockets, unreadMs, silenceMs, most, cut } = options;
  // In the order of waiting, the longest first.
  const unread = new Set<Socket>();
  let requests = 0;
  let checking: NodeJS.Timeout | undefined;

  function check(): void {
    let total = 0;
    for (const socket of sockets.keys()) {
      total += socket.writableLength;
      if (socket.writableLength > 0) begin(socket);
      else end(socket);
    }
    for (const socket of unread) {
      if (total <= most) break;
      total -= socket.writableLength;
      unread.delete(socket);
      cut(socket);
    }
    if (sockets.size > 0) return;
    clearInterval(checking);
    checking = undefined;
  }

  function begin(socket: Socket): void {
    if (unread.has(socket)) return;
    unread.add(socket);
    // Node's own timeout knows how much of a long answer was taken.
    socket.setTimeout(unreadMs);
  }

  function end(socket: Socket): void {
    if (unread.delete(socket) && socket.timeout === unreadMs) socket.setTimeout(silenceMs);
  }

  return {
    /** A connection has a request. */
    begun(): void {
      checking ??= setInterval(check, CHECK_EVERY_MS).unref();
      requests += 1;
      if (requests % CHECK_EVERY_REQUESTS === 0) check();
    },
    forget: (socket: Socket): void => void unread.delete(socket),
  };
}
