import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { captureLogger } from '@cds/testing';
import { isCdsErrorBody } from '@cds/wire';
import { readAll } from '../../test/api-stand-in';
import { limitStrangers } from './limit-strangers';

describe('requests without authentication', () => {
  let server: Server;
  let served: string[];
  let lines: Record<string, unknown>[];
  let hashesRead: () => void;
  /** None comes back while a test runs. */
  const limits = { perSecond: 0, burst: 3 };

  beforeEach(async () => {
    served = [];
    const captured = captureLogger();
    lines = captured.lines;
    const settled = new Promise<void>((resolve) => (hashesRead = resolve));
    const limited = limitStrangers(
      (request, response) => {
        served.push(request.url ?? '');
        response.end('served');
      },
      {
        callers: {
          isAllowed: ({ headers }) => headers.x_auth_header === 'right',
          hasCredentials: ({ headers }) => headers.x_auth_header !== undefined,
          settled: () => settled,
        },
        isExempt: (url) => url.startsWith('/webhook/'),
        trustedProxies: ['127.0.0.1'],
        networkOf: (address) => address.replace(/^(2001:db8):.*/, '$1'),
        logger: captured.logger,
        limits,
      },
    );
    server = createServer(limited).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  async function ask(path: string, headers: Record<string, string> = {}): Promise<Response> {
    const { port } = server.address() as AddressInfo;
    return fetch(`http://127.0.0.1:${port}${path}`, { headers });
  }

  it('are answered 429 beyond the rate of their address, and cost nothing', async () => {
    for (let index = 0; index < 3; index += 1) expect((await ask('/task')).status).toBe(200);
    const refused = await ask('/task');
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(refused.headers.get('connection')).toBe('close');
    expect(isCdsErrorBody(await refused.json())).toBe(true);
    expect(served).toHaveLength(3);
    expect(lines).toEqual([expect.objectContaining({ limit: 0, network: '127.0.0.1' })]);
  });

  it('limit neither the API nor the webhooks, at any rate', async () => {
    hashesRead();
    for (let index = 0; index < 10; index += 1) {
      expect((await ask('/task', { X_AUTH_HEADER: 'right' })).status).toBe(200);
      expect((await ask('/webhook/x')).status).toBe(200);
    }
    for (let index = 0; index < 3; index += 1)
      expect((await ask('/task', { X_AUTH_HEADER: 'wrong' })).status).toBe(200);
    expect((await ask('/task', { X_AUTH_HEADER: 'wrong' })).status).toBe(429);
  });

  it('are counted by the address that a trusted proxy tells, and a network is one', async () => {
    const from = (address: string) => ask('/openapi.json', { 'X-Forwarded-For': address });
    for (const last of ['1', '2', '3']) expect((await from(`2001:db8::${last}`)).status).toBe(200);
    expect((await from('2001:db8::4')).status).toBe(429);
    expect((await from('203.0.113.9')).status).toBe(200);
  });

  it('with a hash are left to the guard until it is known which hashes are right', async () => {
    for (let index = 0; index < 10; index += 1)
      expect((await ask('/task', { X_AUTH_HEADER: 'not known yet' })).status).toBe(200);
    hashesRead();
    for (let index = 0; index < 3; index += 1)
      expect((await ask('/task', { X_AUTH_HEADER: 'not known yet' })).status).toBe(200);
    expect((await ask('/task', { X_AUTH_HEADER: 'not known yet' })).status).toBe(429);
  });

  it.each(['/mon/status', '/mon/version', '/mon/metrics?from=a-probe'])(
    'of monitoring are answered at any rate, and cost a connection each beyond it: %s',
    async (path) => {
      for (let index = 0; index < 3; index += 1)
        expect((await ask(path)).headers.get('connection')).toBe('keep-alive');
      for (let index = 0; index < 10; index += 1) {
        const { status, headers } = await ask(path);
        expect({ status, connection: headers.get('connection') }).toEqual({
          ...{ status: 200, connection: 'close' },
        });
      }
      expect(lines).toHaveLength(1);
    },
  );

  it.each([
    ['POST', '/mon/status'],
    ['GET', '/mon/status/'],
    ['GET', '/mon/other'],
  ])('are of monitoring where that is served alone: not %s %s', async (method, path) => {
    const { port } = server.address() as AddressInfo;
    const send = () => fetch(`http://127.0.0.1:${port}${path}`, { method });
    for (let index = 0; index < 3; index += 1) expect((await send()).status).toBe(200);
    expect((await send()).status).toBe(429);
  });

  it('of other kinds leave those of a probe at the same address alone', async () => {
    for (let index = 0; index < 10; index += 1) await ask(index % 2 ? '/openapi.json' : '/x');
    expect((await ask('/openapi.json')).status).toBe(429);
    for (const path of ['/mon/status', '/mon/metrics'])
      expect((await ask(path)).headers.get('connection')).toBe('keep-alive');
  });

  it('that were sent at once get one refusal, and the connection ends with it', async () => {
    const { port } = server.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /task HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(50));
    const answers = await readAll(socket);
    expect(answers.match(/HTTP\/1\.1 200 /g)).toHaveLength(3);
    expect(answers.match(/HTTP\/1\.1 429 /g)).toHaveLength(1);
    expect(served).toHaveLength(3);
  });
});
