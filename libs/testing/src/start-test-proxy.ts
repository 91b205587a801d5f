import { parseUrl } from '@cds/network';
import { createServer, request as httpRequest } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

export interface TestProxyOptions {
  /** `user:password`; whoever does not give it gets 407. */
  credentials?: string;
  /**
   * The port of this machine that a host (`api.example.com:443`) stands for. Everything else is
   * refused with 403.
   */
  hosts: Record<string, number>;
}

/**
 * A forward proxy, as companies have it: CONNECT for https, whole URLs for http. It resolves names
 * itself.
 */
export interface TestProxy {
  port: number;
  /** `CONNECT api.example.com:443`, `POST http://chat.example.com/hook`: what was let through. */
  log: string[];
  /** Everything that came in clear, headers included. */
  seen: string[];
  close(): Promise<void>;
}

export async function startTestProxy({ credentials, hosts }: TestProxyOptions): Promise<TestProxy> {
  const [log, seen]: [string[], string[]] = [[], []];
  const sockets = new Set<Socket>();
  const expected =
    credentials === undefined ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`;
  const statusFor = (given: string | undefined, port: number | undefined): number =>
    expected !== undefined && given !== expected ? 407 : port === undefined ? 403 : 200;

  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${JSON.stringify(request.headers)}`);
    const { url = '', method, headers } = request;
    // A server that is asked as if it were no proxy answers 400.
    if (!parseUrl(url)) return void response.writeHead(400).end();
    const target = new URL(url);
    const port = hosts[`${target.hostname}:${target.port || 80}`];
    const status = statusFor(headers['proxy-authorization'], port);
    if (status !== 200) return void response.writeHead(status).end('the page of the proxy');
    log.push(`${method} ${url}`);
    const rest = { ...headers };
    delete rest['proxy-authorization'];
    const onward = httpRequest(
      { host: '127.0.0.1', port, method, path: target.pathname + target.search, headers: rest },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.once('error', () => response.writeHead(502).end());
    request.pipe(onward);
  });
  server.on('connect', (request, client: Socket) => {
    seen.push(`CONNECT ${request.url} ${JSON.stringify(request.headers)}`);
    const port = hosts[request.url ?? ''];
    const status = statusFor(request.headers['proxy-authorization'], port);
    client.on('error', () => undefined);
    if (status !== 200 || port === undefined)
      return void client.end(`HTTP/1.1 ${status} No\r\nContent-Length: 2\r\n\r\n{}`);
    log.push(`CONNECT ${request.url}`);
    const onward = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      client.pipe(onward).pipe(client);
    });
    sockets.add(onward);
    onward.on('error', () => client.destroy());
    client.on('close', () => onward.destroy());
  });
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    log,
    seen,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
