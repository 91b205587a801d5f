import { once } from 'node:events';
import { createServer, setMaxIdleHTTPParsers, type RequestListener } from 'node:http';
import type { AddressInfo, Server as NetServer } from 'node:net';
import type { Logger } from '../logs/create-logger';
import { answerConnect, answerMalformed, hangUp, tooManyHeaders } from './answer-malformed';
import { type ConnectionLimits, connectionLimits } from './connection-limits';
import { trackConnections } from './track-connections';

/**
 * Three tokens of 2,500 characters in base64 pass Node's 16 KiB; the longest that are accepted need
 * 64 KiB. Anybody could fill the 1 MiB of the reference on every connection.
 */
const MAX_HEADER_BYTES = 256 * 1024;
/** Connections that the kernel holds until Node accepts them: a burst loses none. */
const BACKLOG = 4_096;
/**
 * Parsers that Node keeps for its next connections, by default 1,000. Each keeps the headers of its
 * last one, up to 64 KiB at `hooks`.
 */
const MAX_IDLE_PARSERS = 50;
/** Of `maxHeadersCount`. Node's default is some 1,000. */
const NO_LIMIT = 0;
/** Longer than Go's clients keep an idle connection (90 s), so that they close it. */
const KEEP_ALIVE_MS = 95_000;

/** Milliseconds. */
const TIMES = {
  /** For the headers, from the first byte or the opening of the connection. */
  headers: 20_000,
  /** For the whole request, not its answer. */
  request: 60_000,
  /** Without a byte in either direction: longer than any answer or idle connection lasts. */
  silence: 120_000,
  /** Without a byte that was read, while there is something to read. */
  unread: 10_000,
  /** How often Node looks for what is too slow; by default every 30 s. */
  check: 5_000,
};

export interface ListenOptions {
  /** Address to listen on; empty means all. */
  addr: string;
  /** 0 takes a free one. */
  port: number;
  logger: Logger;
  /** Only tests need others. */
  times?: Partial<typeof TIMES>;
  /** Bytes that the headers of a request may take, 256 KiB when not given. */
  maxHeaderBytes?: number | undefined;
  /**
   * Whether a connection closes after a request with headers beyond 8 KiB; false when not given.
   */
  closeAfterLongHeaders?: boolean | undefined;
  /** Headers that a request may have; any number when not given. */
  maxHeaders?: number | undefined;
  /** Servers of this process that listen for strangers and share its files; default 1. */
  servers?: number;
  limits?: Partial<ConnectionLimits> | undefined;
  /** Accepts at this server of another process, and not at `addr` and `port`. */
  shared?: NetServer | undefined;
  /** Names of the configuration keys that say where to listen: `http.port`, `http.addr`. */
  keys?: { port: string; addr: string };
}

export interface HttpServer {
  port: number;
  /** For a further process to accept at, too. */
  shared: NetServer;
  /** Takes nothing new, waits for requests under way, and destroys the rest after `deadlineMs`. */
  close(deadlineMs: number): Promise<void>;
}

/** @throws Error naming the configuration key to change, when the address cannot be had */
export async function listen(app: RequestListener, options: ListenOptions): Promise<HttpServer> {
  const { addr, port, logger, maxHeaderBytes = MAX_HEADER_BYTES } = options;
  const { maxHeaders = Infinity } = options;
  const times = { ...TIMES, ...options.times };
  setMaxIdleHTTPParsers(MAX_IDLE_PARSERS);
  const server = createServer({
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: times.headers,
    requestTimeout: times.request,
    connectionsCheckingInterval: times.check,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // The app refuses it, with a body.
    requireHostHeader: false,
  });
  // Node before 24 drops those beyond it without a word: one more shows that there were too many.
  server.maxHeadersCount = maxHeaders < Infinity ? maxHeaders + 1 : NO_LIMIT;
  server.setTimeout(times.silence);
  const connections = trackConnections(server, {
    limits: connectionLimits(options.limits, options.servers),
    ...{ maxHeaderBytes, times, logger },
    closeAfterLongHeaders: options.closeAfterLongHeaders,
  });
  const serve: RequestListener = (request, response) => {
    connections.begin(request, response, () => {
      if (request.rawHeaders.length <= 2 * maxHeaders) app(request, response);
      else hangUp(request.socket, tooManyHeaders(maxHeaders));
    });
  };
  server.on('request', serve);
  server.on('clientError', answerMalformed(maxHeaderBytes, maxHeaders));
  server.on('connect', answerConnect);
  // An unknown expectation may be ignored; Node's refusal has no body.
  server.on('checkExpectation', serve);
  if (options.shared) server.listen(options.shared);
  else server.listen({ port, host: addr || undefined, backlog: BACKLOG });
  try {
    await once(server, 'listening');
  } catch (error) {
    throw explain(error, addr, port, options.keys);
  }
  server.on('error', (err) => logger.error({ err }, 'HTTP server failed'));
  const address = server.address() as AddressInfo;
  logger.info({ addr: address.address, port: address.port }, 'listening');

  let closing = false;
  return {
    port: address.port,
    shared: server,
    async close(deadlineMs) {
      if (closing) return;
      closing = true;
      const closed = once(server, 'close');
      server.close();
      connections.drain();
      const timer = setTimeout(() => server.closeAllConnections(), deadlineMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

function explain(
  error: unknown,
  addr: string,
  port: number,
  keys = { port: 'http.port', addr: 'http.addr' },
): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  const where = `${addr || '*'}:${port}`;
  const advice: Partial<Record<string, string>> = {
    EADDRINUSE: `the port is taken already: stop the other process, or change ${keys.port}`,
    EACCES: `this user may not listen there: take an ${keys.port} from 1024 up`,
    EADDRNOTAVAIL: `this machine does not have the address: change ${keys.addr}, or leave it empty`,
    ENOTFOUND: `the address is not known: change ${keys.addr}, or leave it empty`,
  };
  return new Error(`Cannot listen on ${where}: ${(code && advice[code]) ?? message}`, {
    cause: error,
  });
}
