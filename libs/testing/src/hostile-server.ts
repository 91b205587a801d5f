import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface HostileServer {
  /** `http://127.0.0.1:PORT` */
  origin: string;
  port: number;
  /** `GET /path?query` of all requests. */
  requests: string[];
  /** How many requests had an Authorization or X_AUTH_HEADER header. */
  credentialsSeen: number;
  /** Open connections. */
  open: Set<Socket>;
  /** Answers every request. */
  behave(answer: (req: IncomingMessage, res: ServerResponse) => void): void;
  /**
   * Answers without end with `chunk`, as fast as it is read. Out: how many bytes went into the
   * socket so far.
   */
  streamForEver(
    chunk: Buffer,
    head?: { status?: number; headers?: Record<string, string> },
  ): () => number;
  close(): Promise<void>;
}

/** A real HTTP server that answers as badly as a test wants, and notes what it was trusted with. */
export async function startHostileServer(): Promise<HostileServer> {
  let answer = (_req: IncomingMessage, res: ServerResponse): void => void res.end();
  const open = new Set<Socket>();
  const server: Server = createServer((req, res) => {
    hostile.requests.push(`${req.method} ${req.url}`);
    if (req.headers.authorization ?? req.headers['x_auth_header']) hostile.credentialsSeen += 1;
    req.resume();
    req.once('end', () => answer(req, res));
  });
  server.on('connection', (socket) => {
    open.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const hostile: HostileServer = {
    origin: `http://127.0.0.1:${port}`,
    port,
    requests: [],
    credentialsSeen: 0,
    open,
    behave: (how) => void (answer = how),
    streamForEver(chunk, { status = 200, headers = {} } = {}) {
      let sent = 0;
      answer = (_req, res) => {
        res.writeHead(status, headers);
        const pour = (): void => {
          while (!res.destroyed && res.write(chunk)) sent += chunk.length;
        };
        res.on('drain', pour);
        pour();
      };
      return () => sent;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return hostile;
}
