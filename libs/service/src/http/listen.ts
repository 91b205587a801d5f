import { once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Logger } from '../logs/create-logger';
import { answerConnect, answerMalformed } from './answer-malformed';
import { createConnectionLimit, mostConnections } from './connection-limit';

/**
 * Three tokens of 2,500 characters in base64 pass Node's 16 KiB. The reference takes 1 MiB, which anybody could fill on every
 * connection; the longest tokens that are taken need 64 KiB.
 */
const MAX_HEADER_BYTES = 256 * 1024;
const HEADERS_TIMEOUT_MS = 20_000;
const REQUEST_TIMEOUT_MS = 60_000;
/** Longer than Go's clients keep an idle connection (90 s), so that theirs is the side that closes it. */
const KEEP_ALIVE_MS = 95_000;
/** Without a byte in either direction: longer than any answer takes, and than an idle connection is kept. */
const SILENCE_MS = 120_000;
/** How often Node looks for what is too slow; by default every 30 s. */
const CHECK_EVERY_MS = 5_000;

/** Milliseconds. Only tests need others. */
export interface HttpTimes {
  /** For the headers, from the first byte or the opening of the connection. */
  headers: number;
  /** For the whole request, not its answer. */
  request: number;
  /** Without a byte in either direction. */
  silence: number;
  /** How often these are looked at. */
  check: number;
}

export interface ListenOptions {
  /** Address to listen on; empty means all. */
  addr: string;
  /** 0 takes a free one. */
  port: number;
  logger: Logger;
  times?: Partial<HttpTimes>;
  /** Default 5,000, or half of the files that the process may open. */
  maxConnections?: number;
}

export interface HttpServer {
  port: number;
  /** Takes nothing new, lets requests under way finish, and destroys what is left after `deadlineMs`. */
  close(deadlineMs: number): Promise<void>;
}

/**
 * Listens.
 *
 * @throws Error saying which key of the configuration to change, when the address cannot be had.
 */
export async function listen(
  app: RequestListener,
  { addr, port, logger, times, maxConnections = mostConnections() }: ListenOptions,
): Promise<HttpServer> {
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: times?.headers ?? HEADERS_TIMEOUT_MS,
    requestTimeout: times?.request ?? REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: times?.check ?? CHECK_EVERY_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // The app refuses it, with a body.
    requireHostHeader: false,
  });
  // Also who does not read his answer is let go.
  server.setTimeout(times?.silence ?? SILENCE_MS);
  const close = trackConnections(server, maxConnections, logger);
  server.on('request', app);
  server.on('clientError', answerMalformed);
  server.on('connect', answerConnect);
  // An expectation that nobody knows may be ignored; Node's refusal has no body.
  server.on('checkExpectation', (req, res) => server.emit('request', req, res));
  server.listen(port, addr || undefined);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw explain(error, addr, port);
  }
  server.on('error', (err) => logger.error({ err }, 'The HTTP server failed'));
  const address = server.address() as AddressInfo;
  logger.info({ addr: address.address, port: address.port }, 'Listening');
  return { port: address.port, close };
}

/** Knows which connections have a request under way: to close, and to make room. */
function trackConnections(server: Server, most: number, logger: Logger): HttpServer['close'] {
  // Those that were used last are at the end.
  const sockets = new Set<Socket>();
  const underWay = new Map<Socket, Set<ServerResponse>>();
  let closing = false;
  const makeRoom = createConnectionLimit({ most, idleFirst: idle, logger });

  function* idle(): Generator<Socket> {
    for (const socket of sockets) if (!underWay.has(socket) && !socket.destroyed) yield socket;
  }

  server.on('connection', (socket) => {
    makeRoom(socket, sockets.size + 1);
    if (socket.destroyed) return;
    sockets.add(socket);
    socket.once('close', () => {
      sockets.delete(socket);
      underWay.delete(socket);
    });
  });
  server.on('request', ({ socket }, res) => {
    const answers = underWay.get(socket) ?? new Set();
    underWay.set(socket, answers.add(res));
    if (closing) res.setHeader('Connection', 'close');
    res.once('close', () => {
      answers.delete(res);
      if (answers.size > 0) return;
      underWay.delete(socket);
      if (sockets.delete(socket)) sockets.add(socket);
      // Its header may have been sent before the closing began.
      if (closing) socket.end();
    });
  });

  return async (deadlineMs) => {
    if (closing) return;
    closing = true;
    const closed = once(server, 'close');
    server.close();
    for (const socket of idle()) socket.destroy();
    for (const answers of underWay.values()) {
      for (const res of answers) if (!res.headersSent) res.setHeader('Connection', 'close');
    }
    const timer = setTimeout(() => server.closeAllConnections(), deadlineMs);
    await closed;
    clearTimeout(timer);
  };
}

function explain(error: unknown, addr: string, port: number): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  const where = `${addr || '*'}:${port}`;
  const advice: Partial<Record<string, string>> = {
    EADDRINUSE: 'the port is taken already: stop the other process, or change http.port',
    EACCES: 'this user may not listen there: take an http.port from 1024 up',
    EADDRNOTAVAIL: 'this machine does not have the address: change http.addr, or leave it empty',
    ENOTFOUND: 'the address is not known: change http.addr, or leave it empty',
  };
  return new Error(`Cannot listen on ${where}: ${(code && advice[code]) ?? message}`, {
    cause: error,
  });
}
