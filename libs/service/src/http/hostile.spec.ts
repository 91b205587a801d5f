import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { captureLogger, waitFor } from '@cds/testing';
import { isCdsErrorBody } from '@cds/wire';
import { readAll } from '../../test/api-stand-in';
import { createHttpApp, createRouter, handle, listen, type HttpServer } from '../index';
import { readJson } from './read-json';
import { mostConnections } from './connection-limit';

type Times = NonNullable<Parameters<typeof listen>[1]['times']>;

const AUTH = 'X_AUTH_HEADER: yes';
const GET = 'GET /mon/status HTTP/1.1\r\nHost: x\r\n\r\n';
const MIB = 1024 * 1024;

let server: HttpServer;
let lines: Record<string, unknown>[];
const sockets: Socket[] = [];
afterEach(async () => {
  sockets.splice(0).forEach((socket) => socket.destroy());
  await server.close(0);
});

async function start({
  times = {},
  maxConnections,
}: { times?: Times; maxConnections?: number } = {}) {
  const captured = captureLogger();
  lines = captured.lines;
  const guarded = createRouter()
    .post(
      '/json',
      handle(async (req) => readJson(req, z.object({ list: z.array(z.unknown()) })).list.length),
    )
    .get(
      '/large',
      handle(async () => 'x'.repeat(MIB)),
    );
  const app = createHttpApp({
    logger: captured.logger,
    registration: { isAllowed: (header) => header === 'yes' },
    monitoring: async () => ({ now: 'now', lines: [] }),
    guarded,
    bodyLimitBytes: MIB,
    lingerMs: 100,
  });
  const { logger } = captured;
  const quick = { check: 50, ...times };
  server = await listen(app, { addr: '127.0.0.1', port: 0, logger, times: quick, maxConnections });
}

/** A connection that is kept until the end of the test. */
async function open(text = ''): Promise<Socket> {
  const socket = connect(server.port, '127.0.0.1');
  socket.on('error', () => undefined);
  sockets.push(socket);
  await once(socket, 'connect');
  if (text) socket.write(text);
  return socket;
}

/** What a connection of its own gets for `text`; the server is alive when this is a 200. */
async function ask(text = GET): Promise<string> {
  const socket = await open(text.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
  return readAll(socket);
}

function expectRefusal(answer: string, status: number): void {
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  const body: unknown = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));
  expect(isCdsErrorBody(body)).toBe(true);
}

describe('thousands of connections', () => {
  it('that say nothing do not keep others out', async () => {
    await start({ times: { headers: 600_000, request: 600_000 } });
    const before = process.memoryUsage().rss;
    const idle: Socket[] = [];
    while (idle.length < 3_000) {
      idle.push(...(await Promise.all(Array.from({ length: 200 }, () => open()))));
    }
    expect(await ask()).toMatch(/^HTTP\/1\.1 200 OK/);
    // Both ends of them are in this process.
    expect(process.memoryUsage().rss - before).toBeLessThan(300 * MIB);
    expect(idle.filter(({ closed }) => closed)).toEqual([]);
  });

  it('that say nothing are closed', async () => {
    await start({ times: { headers: 300 } });
    const idle = await Promise.all(Array.from({ length: 200 }, () => open()));
    idle.forEach((socket) => socket.resume());
    await waitFor(() => idle.every(({ closed }) => closed), {
      what: 'idle connections to be closed',
    });
  });

  it('are held to a number, by closing the one that was idle longest', async () => {
    await start({ maxConnections: 10 });
    const used = await open(GET);
    await once(used, 'data');
    const idle = await Promise.all(Array.from({ length: 9 }, () => open()));
    // A request makes a connection the last to go.
    used.write(GET);
    await once(used, 'data');
    const half = await open('POST /json HTTP/1.1\r\nHost: x\r\n');
    const flood = await Promise.all(Array.from({ length: 30 }, () => open()));
    expect(await ask()).toMatch(/^HTTP\/1\.1 200 OK/);
    [...idle, ...flood, half, used].forEach((socket) => socket.resume());
    await waitFor(() => idle.every(({ closed }) => closed));
    await waitFor(() => flood.filter(({ closed }) => !closed).length <= 10);
    const warnings = lines.filter(({ level }) => level === 40);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatchObject({ most: 10, msg: expect.stringContaining('idle longest') });
  });

  it('never cost one that has a request under way', async () => {
    await start({ maxConnections: 3 });
    const length = 'Content-Length: 11';
    const working = await open(
      `POST /json HTTP/1.1\r\nHost: x\r\n${AUTH}\r\n${length}\r\n\r\n{"list"`,
    );
    await sleep(50);
    await Promise.all(Array.from({ length: 20 }, () => open()));
    working.write(':[]}');
    const [answer] = (await once(working, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 200 OK/);
  });

  it('are fewer where the process may open few files', () => {
    const limits = (files: string) =>
      `Limit  Soft Limit\nMax open files            ${files} 524288 files\n`;
    expect(mostConnections(limits('1024'))).toBe(512);
    expect(mostConnections(limits('1'))).toBe(1);
    expect(mostConnections(limits('1048576'))).toBe(5_000);
    expect(mostConnections(limits('unlimited'))).toBe(5_000);
    expect(mostConnections('')).toBe(5_000);
    expect(mostConnections()).toBeGreaterThan(0);
  });
});

describe('slow senders', () => {
  /** Sends a piece every 20 ms until the server hangs up. Out: what it said, and after how many. */
  async function drip(head: string, piece: string): Promise<{ answer: string; pieces: number }> {
    let pieces = 0;
    const socket = await open(head);
    const dripping = setInterval(() => {
      pieces += 1;
      socket.write(piece);
    }, 20);
    const answer = await readAll(socket).catch(() => '');
    clearInterval(dripping);
    return { answer, pieces };
  }

  it('of headers are answered 408 in time', async () => {
    await start({ times: { headers: 300 } });
    const { answer, pieces } = await drip('GET /mon/status HTTP/1.1\r\nHost: x\r\n', 'X-A: b\r\n');
    expectRefusal(answer, 408);
    expect(pieces).toBeLessThan(100);
  });

  it('of a body are answered 408 in time', async () => {
    await start({ times: { headers: 200, request: 400 } });
    const head = `POST /json HTTP/1.1\r\nHost: x\r\n${AUTH}\r\nContent-Length: 1000\r\n\r\n`;
    const { answer, pieces } = await drip(head, 'x');
    expectRefusal(answer, 408);
    expect(pieces).toBeLessThan(100);
  });

  it('of chunks too', async () => {
    await start({ times: { headers: 200, request: 400 } });
    const head = `POST /json HTTP/1.1\r\nHost: x\r\n${AUTH}\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const { answer, pieces } = await drip(head, '1\r\nx\r\n');
    expectRefusal(answer, 408);
    expect(pieces).toBeLessThan(100);
  });

  it('are let go when they do not read', async () => {
    await start({ times: { silence: 400 } });
    const accepted: Socket[] = [];
    const remember = (message: unknown) => accepted.push((message as { socket: Socket }).socket);
    subscribe('net.server.socket', remember);
    const socket = await open();
    unsubscribe('net.server.socket', remember);
    socket.pause();
    socket.write(`GET /large HTTP/1.1\r\nHost: x\r\n${AUTH}\r\n\r\n`.repeat(40));
    await waitFor(() => (accepted[0]?.writableLength ?? 0) > 0, { what: 'answers nobody reads' });
    await waitFor(() => accepted[0]?.destroyed, { what: 'the connection to be let go' });
    expect(await ask()).toMatch(/^HTTP\/1\.1 200 OK/);
  });
});

describe('bodies without end', () => {
  /** Sends as fast as it can. Out: what the server said, and how many bytes went away. */
  async function pour(head: string, chunk: string): Promise<{ answer: string; sent: number }> {
    const socket = await open(head);
    let sent = 0;
    const more = (): void => {
      while (!socket.destroyed && socket.write(chunk)) sent += chunk.length;
    };
    socket.on('drain', more);
    more();
    const chunks: Buffer[] = [];
    socket.on('data', (data: Buffer) => chunks.push(data));
    // Not `once`: the connection may be reset, which is no failure here.
    await new Promise((closed) => socket.once('close', closed));
    return { answer: Buffer.concat(chunks).toString(), sent };
  }
  const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
  const post = (path: string, more = '') =>
    `POST ${path} HTTP/1.1\r\nHost: x\r\n${more}Transfer-Encoding: chunked\r\n\r\n`;

  it.each([
    ['of the API', post('/json', `${AUTH}\r\n`), 413],
    ['of a stranger', post('/json'), 401],
    ['to nowhere', post('/mon/nope'), 404],
  ])('%s are refused, and the connection closed soon after', async (_, head, status) => {
    await start();
    const before = process.memoryUsage().rss;
    const { answer } = await pour(head, chunk);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * MIB);
    expect(await ask()).toMatch(/^HTTP\/1\.1 200 OK/);
  });
});

describe('headers', () => {
  const withHeaders = (headers: string) => `GET /mon/status HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;

  it('by the thousand are taken as long as they are small', async () => {
    await start();
    const many = Array.from({ length: 5_000 }, (_, i) => `X-${i}: y\r\n`).join('');
    expect(await ask(withHeaders(many))).toMatch(/^HTTP\/1\.1 200 OK/);
  });

  it.each([
    ['one of 300 KB', `X: ${'y'.repeat(300_000)}\r\n`],
    ['30,000', Array.from({ length: 30_000 }, (_, i) => `X-${i}: yyyy\r\n`).join('')],
    ['a name of 300 KB', `${'x'.repeat(300_000)}: y\r\n`],
  ])('that are too large are answered 431: %s', async (_, headers) => {
    await start();
    expectRefusal(await ask(withHeaders(headers)), 431);
  });

  it('named like parts of objects change nothing', async () => {
    await start();
    const odd =
      '__proto__: {"polluted":1}\r\nconstructor: x\r\nhasOwnProperty: y\r\ntoString: z\r\n';
    expect(await ask(withHeaders(odd))).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

describe('pipelined requests', () => {
  it('are all answered, in order', async () => {
    await start();
    const socket = await open(
      GET.repeat(999) + GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'),
    );
    const answers = await readAll(socket);
    expect(answers.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(1_000);
  });

  it('end at one that is not HTTP', async () => {
    await start();
    const socket = await open(`${GET}garbage\r\n\r\n${GET}`);
    const answers = await readAll(socket);
    expect(answers.match(/HTTP\/1\.1 400 /g)).toHaveLength(1);
    expect(answers.slice(answers.indexOf('400'))).not.toContain('200 OK');
  });
});

describe('what is no HTTP', () => {
  it.each([
    [
      'a length and chunks',
      'POST /json HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'two lengths',
      'POST /json HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc',
    ],
    ['a negative length', 'POST /json HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n'],
    [
      'a huge length',
      'POST /json HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n',
    ],
    ['a space before a colon', 'GET / HTTP/1.1\r\nHost : x\r\n\r\n'],
    ['a bare line feed', 'GET / HTTP/1.1\nHost: x\n\n'],
    ['a null', 'GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['HTTP/9.9', 'GET / HTTP/9.9\r\nHost: x\r\n\r\n'],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ])('is answered 400: %s', async (_, text) => {
    await start();
    const socket = await open(text);
    expectRefusal(await readAll(socket), 400);
  });

  it('in a chunk ends the request with a 400', async () => {
    await start();
    const socket = await open(
      `POST /json HTTP/1.1\r\nHost: x\r\n${AUTH}\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc`,
    );
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe('a JSON body', () => {
  const post = (body: string) =>
    ask(
      `POST /json HTTP/1.1\r\nHost: x\r\n${AUTH}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );

  it.each([
    ['of keys like __proto__', '{"__proto__":{"polluted":1},"list":[1,2]}', '2'],
    ['of keys given twice', '{"list":[1],"list":[1,2,3]}', '3'],
    ['of some depth', `{"list":[${'['.repeat(900)}${']'.repeat(900)}]}`, '1'],
    ['of huge numbers', '{"list":[1e999,-1e999,123456789012345678901234567890]}', '3'],
  ])('%s is read as any other', async (_, body, answer) => {
    await start();
    expect((await post(body)).endsWith(`\r\n\r\n${answer}`)).toBe(true);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it('of any depth is refused, since what was read could not be written', async () => {
    await start();
    const answer = await post(`{"list":[${'['.repeat(100_000)}${']'.repeat(100_000)}]}`);
    expectRefusal(answer, 400);
    expect(answer).toContain('nested deeper than 1000 levels');
  });
});
