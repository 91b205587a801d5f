import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { Agent, request, type RequestListener, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import supertest from 'supertest';
import * as z from 'zod';
import { CdsError, isCdsErrorBody } from '@cds/wire';
import { captureLogger, freePort, silentLogger, waitFor, takesTime } from '@cds/testing';
import { readAll } from '../../test/api-stand-in';
import { DESCRIPTION } from '../../test/description';
import {
  createHttpApp,
  createReadiness,
  createRouter,
  handle,
  listen,
  sendJson,
  type HttpServer,
} from '../index';
import { readJson } from './read-json';

const AN_HOUR_MS = 3_600_000;

const AUTH = { X_AUTH_HEADER: 'c2VjcmV0' };

function build(bodyLimitBytes?: number) {
  const { logger, lines } = captureLogger();
  const open = createRouter();
  open.all('/webhook/:uuid', DESCRIPTION, () => (req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => sendJson(res, 200, { raw: Buffer.concat(chunks).toString() }));
  });
  const guarded = createRouter();
  const schema = z.object({ name: z.string(), size: z.number() });
  guarded
    .get('/thing', DESCRIPTION, () => handle(async () => ({ list: true })))
    .get('/thing/', DESCRIPTION, () => handle(async () => ({ slash: true })))
    .get('/thing/:name', DESCRIPTION, () => handle(async (req) => req.params['name']))
    .get('/nothing', DESCRIPTION, () => handle(async () => undefined))
    .get('/null', DESCRIPTION, () => handle(async () => null))
    .post('/created', DESCRIPTION, () =>
      handle(async (_req, res) => (res.status(202), { created: true })),
    )
    .post('/length', DESCRIPTION, () => handle(async (req) => req.body.length))
    .post('/json', DESCRIPTION, () => handle(async (req) => readJson(req, schema)))
    .post('/string', DESCRIPTION, () => handle(async (req) => readJson(req, z.string())))
    .get('/busy', DESCRIPTION, () =>
      handle(async () => {
        throw new CdsError('tooManyRequests', { from: 'slow', headers: { 'Retry-After': '7' } });
      }),
    )
    .get('/bug', DESCRIPTION, () =>
      handle(async () => {
        throw new Error('SELECT password');
      }),
    )
    .get('/half', DESCRIPTION, () =>
      handle(async (_req, res) => {
        res.write('half');
        throw new Error('in the middle');
      }),
    );
  const app = createHttpApp({
    logger,
    callers: {
      isAllowed: ({ headers }) => headers.x_auth_header === AUTH.X_AUTH_HEADER,
      refusal: ({ headers }) => ({
        error: new CdsError('notAuthenticated'),
        reason: `the X_AUTH_HEADER is ${headers.x_auth_header === undefined ? 'missing' : 'wrong'}`,
      }),
    },
    monitoring: async () => ({ now: '2026-11-22T10:32:32Z', lines: [] }),
    open,
    guarded,
    bodyLimitBytes,
  });
  return { app, lines, client: supertest(app) };
}

function expectRefusal(
  answer: supertest.Response,
  status: number,
  id: number,
  message?: string,
): void {
  expect(answer.status).toBe(status);
  expect(answer.headers['content-type']).toBe('application/json');
  expect(isCdsErrorBody(answer.body)).toBe(true);
  expect(answer.body).toMatchObject({ id, data: null, ...(message ? { message } : {}) });
}

describe('createHttpApp', () => {
  const { client } = build();

  it('logs who is refused and why, once a minute for each reason', async () => {
    const { client: anybody, lines } = build();
    const call = (header?: string) => {
      const asked = anybody.get('/thing?token=secret-of-the-query');
      return header === undefined ? asked : asked.set('X_AUTH_HEADER', header);
    };
    for (let n = 0; n < 3; n++) expectRefusal(await call('dGhlIG9sZCBvbmU='), 401, 10);
    expectRefusal(await call(), 401, 10);
    const logged = lines.filter(({ level }) => level === 40);
    expect(logged).toMatchObject([
      {
        msg: 'call refused',
        address: expect.stringContaining('127.0.0.1'),
        path: '/thing',
        reason: 'the X_AUTH_HEADER is wrong',
      },
      { msg: 'call refused', reason: 'the X_AUTH_HEADER is missing' },
    ]);
    expect(JSON.stringify(lines)).not.toMatch(/dGhlIG9sZCBvbmU|secret-of-the-query/);
  });

  it('refuses nobody before it knows the hashes of its name', async () => {
    let known = false;
    const app = createHttpApp({
      logger: silentLogger(),
      callers: {
        isAllowed: ({ headers }) => known && headers.x_auth_header === AUTH.X_AUTH_HEADER,
        hasCredentials: ({ headers }) => headers.x_auth_header !== undefined,
        async settled() {
          await takesTime(20);
          known = true;
        },
      },
      monitoring: async () => ({ now: '', lines: [] }),
      guarded: createRouter().get('/thing', DESCRIPTION, () => handle(async () => 'in')),
    });
    expect((await supertest(app).get('/thing').set(AUTH)).body).toBe('in');
    expectRefusal(await supertest(app).get('/thing').set('X_AUTH_HEADER', 'eA=='), 401, 10);
  });

  it('asks once for all probes whether it is ready, and needs not ask once it is stopping', async () => {
    let asked = 0;
    const readiness = createReadiness({
      refusal: async () => (++asked === 1 ? 'Redis does not answer' : undefined),
      sharedMs: AN_HOUR_MS,
    });
    const app = createHttpApp({
      ...{ logger: silentLogger(), callers: { isAllowed: () => false }, readiness },
      monitoring: async () => ({ now: '', lines: [] }),
      guarded: createRouter(),
    });
    const probes = () =>
      Promise.all(Array.from({ length: 3 }, () => supertest(app).get('/mon/ready')));
    for (const { status, body } of await probes())
      expect([status, body]).toEqual([503, { ready: false, reason: 'Redis does not answer' }]);
    readiness.stop();
    for (const { status, body } of await probes())
      expect([status, body]).toEqual([503, { ready: false, reason: 'the service is stopping' }]);
    expect(asked).toBe(1);
  });

  it('answers /mon to everybody', async () => {
    const version = await client.get('/mon/version');
    expect(version.status).toBe(200);
    expect(version.body).toMatchObject({ version: 'snapshot', db_migrate: null });
    const status = await client.get('/mon/status');
    expect(status.body).toEqual({ now: '2026-11-22T10:32:32Z', lines: [] });
    expect(status.headers['content-type']).toBe('application/json');
    expectRefusal(await client.get('/mon/nope'), 404, 38, 'resource not found');
    expectRefusal(await client.post('/mon/status'), 404, 38);
    expectRefusal(await client.get('/mon/status/'), 404, 38);
    expectRefusal(await client.options('/mon/status'), 404, 38);
  });

  it('hands open routes the request unread, without the guard', async () => {
    const answer = await client.post('/webhook/u').type('application/json').send('{"broken');
    expect(answer.body).toEqual({ raw: '{"broken' });
  });

  it.each<Record<string, string>>([
    {},
    { X_AUTH_HEADER: 'nope' },
    { X_AUTH_HEADER: '%%%' },
    { X_AUTH_HEADER: '' },
  ])('keeps out %j with a 401', async (headers) => {
    for (const path of ['/thing', '/nope']) {
      expectRefusal(await client.get(path).set(headers), 401, 10, 'not authenticated');
    }
  });

  it('answers what a route returns', async () => {
    const list = await client.get('/thing').set(AUTH);
    expect([list.status, list.text]).toEqual([200, '{"list":true}']);
    expect(list.headers['content-type']).toBe('application/json');
    const nothing = await client.get('/nothing').set(AUTH);
    expect([nothing.status, nothing.text]).toEqual([204, '']);
    expect(nothing.headers['content-type']).toBe('application/json');
    expect((await client.get('/null').set(AUTH)).text).toBe('null');
    expect((await client.post('/created').set(AUTH)).status).toBe(202);
    expect((await client.get('/thing/a%2Fb').set(AUTH)).text).toBe('"a/b"');
  });

  it('tells a slash at the end and upper case apart', async () => {
    expect((await client.get('/thing/').set(AUTH)).body).toEqual({ slash: true });
    expectRefusal(await client.get('/Thing').set(AUTH), 404, 38);
    expectRefusal(await client.get('/nothing/').set(AUTH), 404, 38);
  });

  it('refuses unknown paths and methods with a 404', async () => {
    expectRefusal(await client.get('/nope').set(AUTH), 404, 38, 'resource not found');
    expectRefusal(await client.put('/thing').set(AUTH), 404, 38);
    expectRefusal(await client.options('/thing').set(AUTH), 404, 38);
    expectRefusal(await client.delete('/json').set(AUTH), 404, 38);
  });

  it.each(['/thing/%zz', '/%', '/webhook/%E0%A4%A', '/mon/%ff'])(
    'refuses the malformed path %s with a 400',
    async (path) => {
      expectRefusal(await client.get(path).set(AUTH), 400, 74);
    },
  );

  it('lets a route judge a malformed query', async () => {
    expect((await client.get('/thing?a=%zz').set(AUTH)).status).toBe(200);
  });

  it('checks JSON bodies', async () => {
    const post = (body: string, path = '/json') => client.post(path).set(AUTH).send(body);
    expect((await post('{"name":"a","size":1,"more":2}')).body).toEqual({ name: 'a', size: 1 });
    // Whatever the type says, or does not say.
    expect((await post('"just text"', '/string').type('text/plain')).body).toBe('just text');
    const end = 'wrong request (from: unexpected end of JSON input)';
    expectRefusal(await post(''), 400, 74, end);
    expectRefusal(await post('{"name":'), 400, 74, end);
    expectRefusal(await post('{bad'), 400, 74, 'wrong request (from: the body is not valid JSON)');
    const nested = (levels: number) =>
      `{"name":"[[\\"[","size":1,"more":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
    expect((await post(nested(1_000))).status).toBe(200);
    const tooDeep = 'wrong request (from: the body is nested deeper than 1000 levels)';
    expectRefusal(await post(nested(1_001)), 400, 74, tooDeep);
    expectRefusal(await post('[{"a":'.repeat(500_000)), 400, 74, tooDeep);
    const typed = await post('{"name":1}');
    expectRefusal(typed, 400, 74);
    expect(typed.body.message).toMatch(/^wrong request \(from: name: .*; size: /);
  });

  it('takes bodies up to the limit', async () => {
    const post = (size: number) =>
      client.post('/length').set(AUTH).type('application/json').send('x'.repeat(size));
    expect((await post(10 * 1024 * 1024)).body).toBe(10 * 1024 * 1024);
    expectRefusal(
      await post(10 * 1024 * 1024 + 1),
      413,
      74,
      'wrong request (from: the body is larger than 10485760 bytes)',
    );
    expect((await client.post('/length').set(AUTH)).body).toBe(0);
  });

  it('counts a compressed body by what it becomes', async () => {
    const small = build(1_000).client;
    const post = (body: Buffer, encoding = 'gzip') =>
      small
        .post('/length')
        .set({ ...AUTH, 'content-encoding': encoding })
        .type('text/plain')
        .send(body);
    expect((await post(gzipSync('x'.repeat(1_000)))).body).toBe(1_000);
    expectRefusal(await post(gzipSync('x'.repeat(100_000))), 413, 74);
    expectRefusal(await post(Buffer.from('no gzip')), 400, 74);
    expectRefusal(await post(Buffer.from('x'), 'rot13'), 415, 74);
  });

  it('sets safe headers and a request id', async () => {
    const answer = await client.get('/thing').set({ ...AUTH, 'X-Request-Id': 'abc-1' });
    expect(answer.headers).toMatchObject({
      'x-request-id': 'abc-1',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    });
    expect(answer.headers).not.toHaveProperty('x-powered-by');
    expect(answer.headers).not.toHaveProperty('etag');
    const own = await client.get('/thing').set({ ...AUTH, 'X-Request-Id': 'a b"<' });
    expect(own.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    const cds = await client.get('/thing').set({ ...AUTH, 'Request-ID': 'of-the-api' });
    expect(cds.headers['x-request-id']).toBe('of-the-api');
  });
});

describe('errors', () => {
  it("pass on status, headers and uuid; another service's trouble is a warning", async () => {
    const { client, lines } = build();
    const answer = await client.get('/busy').set(AUTH);
    expectRefusal(answer, 429, 1, 'too many requests (from: slow)');
    expect(answer.headers['retry-after']).toBe('7');
    expect(lines).toContainEqual(
      expect.objectContaining({
        level: 40,
        uuid: answer.body.uuid,
        requestId: answer.headers['x-request-id'],
      }),
    );
  });

  it('hide what was not foreseen, and log it with the uuid', async () => {
    const { client, lines } = build();
    const answer = await client.get('/bug?code=private').set(AUTH);
    expectRefusal(answer, 500, 1, 'internal server error');
    expect(lines.filter(({ level }) => level === 50)).toMatchObject([
      { uuid: answer.body.uuid, path: '/bug', err: { message: 'SELECT password' } },
    ]);
    expect(JSON.stringify(lines)).not.toContain('private');
  });

  it('of callers are not worth more than debug', async () => {
    const { client, lines } = build();
    await client.get('/nope').set(AUTH);
    await client.get('/thing');
    // Which caller it was is said in a line of its own, once a minute.
    const others = lines.filter(({ msg }) => msg !== 'call refused');
    expect(Math.max(...others.map(({ level }) => Number(level)))).toBe(20);
    expect(lines).toContainEqual(
      expect.objectContaining({ msg: 'Request', path: '/nope', status: 404, answered: true }),
    );
  });

  it('end an answer that has begun', async () => {
    const { client } = build();
    await expect(client.get('/half').set(AUTH)).rejects.toThrow(/aborted|hang up|reset/i);
  });
});

describe('listen', () => {
  let server: HttpServer | undefined;
  afterEach(async () => {
    await server?.close(0);
    server = undefined;
  });
  const start = async (app: Parameters<typeof listen>[0], port = 0) =>
    (server = await listen(app, { addr: '127.0.0.1', port, logger: silentLogger() }));

  it('takes headers of several tokens, and answers larger ones as CDS would', async () => {
    const { port } = await start(build().app);
    const client = supertest(`http://127.0.0.1:${port}`);
    const large = { ...AUTH, 'X-CDS-ACCESS-TOKEN': 'x'.repeat(200_000) };
    expect((await client.get('/thing').set(large)).status).toBe(200);

    const socket = connect(port, '127.0.0.1');
    socket.write(`GET /thing HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(1_200_000)}`);
    socket.on('error', () => undefined);
    const text = await readAll(socket);
    expect(text).toMatch(/^HTTP\/1\.1 431 /);
    expect(JSON.parse(text.split('\r\n\r\n')[1] ?? '')).toMatchObject({ id: 74 });
  });

  it.each([
    ['hello\r\n\r\n', /^HTTP\/1\.1 400 Bad Request\r\n[^]*"id":74/],
    ['GET /thing HTTP/1.1\r\n\r\n', /^HTTP\/1\.1 400 [^]*"id":74.*the Host header is missing/],
    ['CONNECT evil:443 HTTP/1.1\r\nHost: x\r\n\r\n', /^HTTP\/1\.1 404 Not Found\r\n[^]*"id":38/],
  ])("answers %j with CDS's error body", async (text, answer) => {
    const { port } = await start(build().app);
    const socket = connect(port, '127.0.0.1');
    socket.end(text);
    expect(await readAll(socket)).toMatch(answer);
  });

  it('serves a request that expects what no server knows', async () => {
    const { port } = await start(build().app);
    const socket = connect(port, '127.0.0.1');
    socket.end('GET /mon/status HTTP/1.1\r\nHost: x\r\nExpect: a-miracle\r\n\r\n');
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*"lines":\[\]/);
  });

  it.each(['hello\r\n\r\n', 'CONNECT evil:443 HTTP/1.1\r\nHost: x\r\n\r\n'])(
    'lets go of a connection whose %j it refused, though the other side keeps it open',
    async (text) => {
      const { port } = await start(build().app);
      const accepted: Socket[] = [];
      const remember = (message: unknown) => accepted.push((message as { socket: Socket }).socket);
      subscribe('net.server.socket', remember);
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      socket.write(text);
      await once(socket.resume(), 'end');
      await waitFor(() => accepted.length === 1 && accepted[0]?.destroyed);
      unsubscribe('net.server.socket', remember);
      socket.destroy();
    },
  );

  it('says what to change when the address cannot be had', async () => {
    const { port } = await start(build().app);
    const again = (addr: string, other: number) =>
      listen(build().app, { addr, port: other, logger: silentLogger() });
    await expect(again('127.0.0.1', port)).rejects.toThrow(
      `Cannot listen on 127.0.0.1:${port}: the port is taken already: stop the other process, or change http.port`,
    );
    await expect(again('192.0.2.1', await freePort())).rejects.toThrow('change http.addr');
  });

  it('closes at once when nothing is under way, whatever connections are open', async () => {
    const { port, close } = await start(build().app);
    const silent = connect(port, '127.0.0.1');
    await once(silent, 'connect');
    const agent = new Agent({ keepAlive: true });
    await get(port, '/thing', agent);
    await close(AN_HOUR_MS);
    agent.destroy();
    silent.destroy();
  });

  it('lets requests under way finish, on connections that end then', async () => {
    const underWay: ServerResponse[] = [];
    const slow: RequestListener = (req, res) => {
      if (req.url === '/begun') res.write('begun,');
      underWay.push(res);
    };
    const { port, close } = await start(slow);
    const agent = new Agent({ keepAlive: true });
    const answers = [get(port, '/', agent), get(port, '/begun', agent)];
    await waitFor(() => underWay.length === 2);
    const closing = close(AN_HOUR_MS);
    await expect(get(port, '/', new Agent())).rejects.toThrow(/ECONNREFUSED/);
    for (const res of underWay) res.end('done');
    expect(await Promise.all(answers)).toEqual([
      { body: 'done', connection: 'close' },
      { body: 'begun,done', connection: 'keep-alive' },
    ]);
    await closing;
    agent.destroy();
  });

  it('destroys what is left at the deadline', async () => {
    let asked = false;
    const { port, close } = await start(() => void (asked = true));
    const answer = get(port, '/', new Agent()).catch((error: Error) => error.message);
    await waitFor(() => asked);
    const began = Date.now();
    await close(200);
    expect(Date.now() - began).toBeGreaterThanOrEqual(190);
    expect(await answer).toMatch(/hang up|ECONNRESET/);
  });
});

function get(
  port: number,
  path: string,
  agent: Agent,
): Promise<{ body: string; connection: string | undefined }> {
  return new Promise((resolve, reject) => {
    const req = request({ port, path, agent, host: '127.0.0.1', headers: AUTH }, (res) => {
      let body = '';
      res.on('data', (chunk) => (body += chunk));
      res.on('end', () => resolve({ body, connection: res.headers.connection }));
      res.on('error', reject);
    });
    req.on('error', reject);
    req.end();
  });
}
