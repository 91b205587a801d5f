import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeRequest {
  method: string;
  /** As it came over the wire, still encoded, without the query. */
  rawPath: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: string;
}

export interface FakeReply {
  status?: number | undefined;
  headers?: Record<string, string> | undefined;
  /** An object is sent as JSON, a string or Buffer as it is. */
  body?: object | string | Buffer | undefined;
}

export type FakeHandler = (
  request: FakeRequest,
  raw: { req: IncomingMessage; res: ServerResponse },
) => FakeReply | 'handled' | undefined | Promise<FakeReply | 'handled' | undefined>;

export interface FakeServer {
  origin: string;
  requests: FakeRequest[];
  /** Each serves one request, before the rules; one that returns undefined leaves it to them. */
  scripted: FakeHandler[];
  close(): Promise<void>;
}

/** A real HTTP server: `rules` answers what no scripted handler did. */
export async function startFakeServer(rules: FakeHandler): Promise<FakeServer> {
  const requests: FakeRequest[] = [];
  const scripted: FakeHandler[] = [];
  const server = createServer((req, res) => {
    void (async () => {
      const request = await readRequest(req);
      requests.push(request);
      const raw = { req, res };
      const reply = (await scripted.shift()?.(request, raw)) ?? (await rules(request, raw));
      if (reply !== 'handled') send(res, reply ?? { status: 404 });
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    scripted,
    close: () => closeServer(server),
  };
}

async function readRequest(req: IncomingMessage): Promise<FakeRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of req as AsyncIterable<Buffer>) chunks.push(chunk);
  const [rawPath = '', search = ''] = (req.url ?? '').split('?');
  return {
    method: req.method ?? '',
    rawPath,
    query: new URLSearchParams(search),
    headers: req.headers,
    body: Buffer.concat(chunks).toString('utf8'),
  };
}

function send(res: ServerResponse, { status = 200, headers = {}, body }: FakeReply): void {
  const isText = typeof body === 'string' || Buffer.isBuffer(body);
  const type = isText || body === undefined ? {} : { 'Content-Type': 'application/json' };
  res.writeHead(status, { ...type, ...headers });
  res.end(isText || body === undefined ? body : JSON.stringify(body));
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
