import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from '../logs/create-logger';
import { hangUpForNow } from './answer-malformed';
import type { ConnectionLimits } from './connection-limits';
import { createFloodLog } from './flood-log';
import { limitBodies } from './limit-bodies';
import { limitHeaders } from './limit-headers';
import { limitReads } from './limit-reads';
import { createLongHeaders } from './long-headers';
import { paceConnections } from './pace-connections';
import { queuePipelined } from './pipelined-requests';
import { watchUnread } from './unread-answers';

/** The share of connections that may wait to be read. The others are at work, or are kept. */
const OPENING_SHARE = 0.75;

interface Connection {
  /** Answers that are not out yet. */
  answers: Set<ServerResponse>;
  /** Bytes that belong to requests before the next one. */
  bytesBefore: number;
  /** Its last request, while the body of that is on its way. */
  sending?: IncomingMessage | undefined;
}

interface TrackOptions {
  limits: ConnectionLimits;
  /** The longest headers that the server takes. */
  maxHeaderBytes: number;
  /** Milliseconds, see `listen`. */
  times: { silence: number; unread: number };
  /** See `ListenOptions`. */
  closeAfterLongHeaders?: boolean | undefined;
  logger: Logger;
}

/**
 * Holds the connections of a server to its limits: the one that waited longest makes room. A whole
 * request is never cut for others, unless its sender does not read the answer, or did not wait for
 * the one before.
 */
export function trackConnections(server: Server, options: TrackOptions) {
  const { limits, maxHeaderBytes, times } = options;
  const warnOfFlood = createFloodLog(options.logger);
  const connections = new Map<Socket, Connection>();
  // Each in the order of waiting, the longest first.
  /** Without a request so far. */
  const unused = new Set<Socket>();
  /** Between two requests. */
  const kept = new Set<Socket>();
  let draining = false;
  const longHeaders = createLongHeaders(limits.headerBytes);

  const bodies = limitBodies({ limits, warnOfFlood, cut });
  const headers = limitHeaders({
    ...{ limits, maxHeaderBytes, warnOfFlood, cut },
    waiting: () => unused.size + kept.size,
    longestFirst: () => [...kept, ...unused],
    bytesOf: (socket) => socket.bytesRead - (connections.get(socket)?.bytesBefore ?? 0),
  });
  const countReads = limitReads({
    withoutRequest: () => [...unused, ...kept],
    check: headers.check,
  });
  const pipelined = queuePipelined({
    most: limits.waiting,
    cut: (socket) => reset(socket, 'waiting', limits.waiting),
  });
  const unread = watchUnread({
    sockets: connections,
    unreadMs: times.unread,
    silenceMs: times.silence,
    most: limits.unreadBytes,
    cut: (socket) => reset(socket, 'unread', limits.unreadBytes),
  });

  const opening = paceConnections(server, {
    most: limits.connections * OPENING_SHARE,
    accepted(socket) {
      const fits = connections.size < limits.connections || makeRoom();
      if (fits) track(socket);
      else socket.destroy();
      return fits;
    },
    begins(socket) {
      unused.add(socket);
      countReads(socket);
      headers.watch();
    },
  });

  function track(socket: Socket): void {
    const connection: Connection = { answers: new Set(), bytesBefore: 0 };
    connections.set(socket, connection);
    socket.once('close', () => {
      remove(socket);
      pipelined.forget(socket);
      unread.forget(socket);
      bodies.came(connection.sending);
    });
  }

  function forget(socket: Socket): void {
    unused.delete(socket);
    kept.delete(socket);
  }

  function remove(socket: Socket): void {
    connections.delete(socket);
    forget(socket);
    longHeaders.forget(socket);
  }

  function cut(socket: Socket): void {
    remove(socket);
    socket.destroy();
  }

  /** What the kernel still keeps for it goes, too. */
  function reset(socket: Socket, kind: 'waiting' | 'unread', limit: number): void {
    warnOfFlood(kind, limit);
    socket.resetAndDestroy();
    cut(socket);
  }

  /** @returns false when every connection has a request that came whole */
  function makeRoom(): boolean {
    const victim = longestIdle() ?? bodies.longest()?.socket ?? longestUnread(connections);
    warnOfFlood('connections', limits.connections);
    if (!victim) return false;
    cut(victim);
    return true;
  }

  /** Of the larger kind: who opens or keeps connections harms others of that kind alone. */
  function longestIdle(): Socket | undefined {
    if (opening.size > Math.max(unused.size, kept.size)) return opening.takeLongest();
    const [socket] = unused.size >= kept.size ? unused : kept;
    return socket;
  }

  /** @param serve is called after the answer before, never when the connection was cut */
  function begin(request: IncomingMessage, response: ServerResponse, serve: () => void): void {
    const { socket } = request;
    const connection = connections.get(socket);
    // The parser goes on with what came before the connection was cut.
    if (!connection || isGone(socket) || socket.writableEnded) return;
    const { answers } = connection;
    answers.add(response);
    if (answers.size > limits.pipelined) {
      warnOfFlood('pipelined', limits.pipelined);
      return cut(socket);
    }
    forget(socket);
    const { areLong, isTooMuch } = longHeaders.hold(request);
    const fits = (mayBeCut: (one: Socket) => boolean) => longHeaders.makeRoom(mayBeCut, cut);
    if (
      isTooMuch &&
      !fits((one) => kept.has(one)) &&
      !fits((one) => isAnswered(connections.get(one)))
    ) {
      warnOfFlood('longHeaders', limits.headerBytes);
      // The answer before this one may be half sent.
      if (answers.size > 1) cut(socket);
      else hangUpForNow(socket, 'too many requests with long headers at once: send it again');
      return;
    }
    const headerBytes = socket.bytesRead - connection.bytesBefore;
    connection.bytesBefore = socket.bytesRead;
    // One begins when the one before has come whole.
    bodies.came(connection.sending);
    connection.sending = bodies.begin(request, response, headerBytes) ? request : undefined;
    // Without a word in the answer, which is the same for all who are refused alike.
    const endsHere = areLong && options.closeAfterLongHeaders;
    if (draining) closeAfter(response);
    response.once('close', () => {
      answers.delete(response);
      bodies.answered(request);
      if (endsHere) endAfter(request);
      else pipelined.next(socket);
      if (answers.size > 0 || !connections.has(socket)) return;
      connection.bytesBefore = socket.bytesRead;
      kept.add(socket);
      headers.watch();
      // Its header may have been sent before the closing began.
      if (draining) socket.end();
    });
    if (isGone(socket)) return;
    unread.begun();
    if (answers.size > 1) pipelined.add(socket, serve);
    else serve();
  }

  return {
    begin,
    /** Closes what is idle, and every other connection after its answer. */
    drain(): void {
      draining = true;
      headers.stop();
      while (opening.size > 0) opening.takeLongest()?.destroy();
      for (const socket of [...unused, ...kept]) socket.destroy();
      for (const { answers } of connections.values()) answers.forEach(closeAfter);
    },
  };
}

function closeAfter(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close');
}

/** Who is still sending gets some time to read the answer: see `closeUnread`. */
function endAfter(request: IncomingMessage): void {
  const { complete, socket } = request;
  if (complete) {
    socket.destroySoon();
    return;
  }
  socket.end();
  request.once('end', () => socket.destroySoon());
}

function isGone({ destroyed }: Socket): boolean {
  return destroyed;
}

function longestUnread(connections: Map<Socket, Connection>): Socket | undefined {
  for (const [socket, connection] of connections)
    if (isAnswered(connection) && socket.writableLength > 0) return socket;
  return undefined;
}

/** Whether nothing is worked on for it. */
function isAnswered(connection: Connection | undefined): boolean {
  return [...(connection?.answers ?? [])].every(({ writableEnded }) => writableEnded);
}
