import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** Connections that begin in one turn: some milliseconds of work. */
export const PER_TURN = 20;
/** How long a connection waits for others that the kernel holds. */
const ACCEPT_MS = 20;

/** Node's own, which `createServer` takes for `net` alone. */
interface PausingServer extends Server {
  pauseOnConnect: boolean;
}

/**
 * Accepts what the kernel holds before any of it is read, and begins to read a few connections in
 * one turn of the event loop, in their order. Node accepts one connection a turn, so that thousands
 * that are opened at once would keep a new one from being accepted for seconds, and those that are
 * open from being answered.
 * See https://github.com/libuv/libuv/pull/3696
 * @param options.most connections that may wait to be read
 * @param options.acceptMs for how long others are accepted meanwhile; only tests need another
 * @param options.accepted called as soon as Node has a connection; returns whether it stays
 * @param options.begins called before it is read
 */
export function paceConnections(
  server: Server,
  options: {
    most: number;
    acceptMs?: number;
    accepted: (socket: Socket) => boolean;
    begins: (socket: Socket) => void;
  },
) {
  const { most, acceptMs = ACCEPT_MS } = options;
  const waiting: Socket[] = [];
  /** Whether the turn before brought one. */
  let isComing = false;
  let isScheduled = false;
  let acceptUntil = 0;
  const read = server.listeners('connection');
  server.removeAllListeners('connection');
  (server as PausingServer).pauseOnConnect = true;

  server.on('connection', (socket) => {
    if (!options.accepted(socket)) return;
    isComing = true;
    waiting.push(socket);
    if (isScheduled) return;
    isScheduled = true;
    acceptUntil = performance.now() + acceptMs;
    setImmediate(turn);
  });

  function turn(): void {
    const isWaiting = isComing && waiting.length < most && performance.now() < acceptUntil;
    isComing = false;
    if (!isWaiting) beginSome();
    isScheduled = waiting.length > 0;
    if (isScheduled) setImmediate(turn);
  }

  function beginSome(): void {
    for (const socket of waiting.splice(0, PER_TURN)) {
      if (socket.destroyed) continue;
      options.begins(socket);
      for (const listener of read) listener.call(server, socket);
      socket.resume();
    }
    acceptUntil = performance.now() + acceptMs;
  }

  return {
    /** Of connections that wait to be read. */
    get size() {
      return waiting.length;
    },

    /** The one that waits longest; it is not read any more. */
    takeLongest(): Socket | undefined {
      let socket = waiting.shift();
      while (socket?.destroyed) socket = waiting.shift();
      return socket;
    },
  };
}
