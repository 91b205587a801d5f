import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import * as z from 'zod';
import { captureLogger, waitFor } from '@cds/testing';
import { isCdsErrorBody } from '@cds/wire';
import { readAll } from '../../test/api-stand-in';
import { DESCRIPTION } from '../../test/description';
import { createHttpApp, createRouter, handle, listen, type HttpServer } from '../index';
import { readJson } from './read-json';
import { type ConnectionLimits, maxConnections } from './connection-limits';

type Times = NonNullable<Parameters<typeof listen>[1]['times']>;

const AUTH = 'X_AUTH_HEADER: yes';
const GET = 'GET /mon/status HTTP/1.1\r\nHost: x\r\n\r\n';
const MIB = 1024 * 1024;

let server: HttpServer;
let lines: Record<string, unknown>[];
/** Requests that reached the app. */
let asked = 0;
/** Whether `/json` waits for the test, and what goes on then. */
let hold = false;
const held: (() => void)[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  sockets.splice(0).forEach((socket) => socket.destroy());
  await server.close(0);
});

async function start({
  times = {},
  limits,
  maxHeaderBytes,
  maxHeaders,
  closeAfterLongHeaders,
}: {
  times?: Times;
  limits?: Partial<ConnectionLimits>;
  maxHeaderBytes?: number;
  maxHeaders?: number;
  closeAfterLongHeaders?: boolean;
} = {}) {
  const captured = captureLogger();
  lines = captured.lines;
  asked = 0;
  hold = false;
  const guarded = createRouter()
    .post('/json', DESCRIPTION, () =>
      handle(async (req) => {
        if (hold) await new Promise<void>((go) => held.push(go));
        return readJson(req, z.object({ list: z.array(z.unknown()) })).list.length;
      }),
    )
    .get(
      '/large',
      // More than the kernel keeps for a connection.
      DESCRIPTION,
      () => handle(async () => 'x'.repeat(8 * MIB)),
    );
  const app = createHttpApp({
    logger: captured.logger,
    callers: { isAllowed: ({ headers }) => headers.x_auth_header === 'yes' },
    monitoring: async () => ({ now: 'now', lines: [] }),
    guarded,
    bodyLimitBytes: MIB,
    lingerMs: 100,
  });
  const { logger } = captured;
  const quick = { check: 50, ...times };
  const port = { addr: '127.0.0.1', port: 0 };
  server = await listen((req, res) => ((asked += 1), app(req, res)), {
    ...port,
    logger,
    times: quick,
    limits,
    maxHeaderBytes,
    maxHeaders,
    closeAfterLongHeaders,
  });
}

/** What the log says of floods. */
const floods = () => lines.filter(({ msg }) => String(msg).startsWith('too many'));

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
    await start({ limits: { connections: 10 } });
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
    const warnings = floods();
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatchObject({
      limit: 10,
      msg: expect.stringContaining('wait longest are cut'),
    });
  });

  it('never cost one that has a request under way', async () => {
    await start({ limits: { connections: 3 } });
    const length = 'Content-Length: 11\r\nExpect: 100-continue';
    const working = await open(
      `POST /json HTTP/1.1\r\nHost: x\r\n${AUTH}\r\n${length}\r\n\r\n{"list"`,
    );
    // It is under way when Node.js has asked for its body.
    expect(String((await once(working, 'data'))[0])).toMatch(/^HTTP\/1\.1 100 /);
    await Promise.all(Array.from({ length: 20 }, () => open()));
    working.write(':[]}');
    const [answer] = (await once(working, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 200 OK/);
  });

  it('whose answers nobody reads make room, too', async () => {
    await start({ limits: { connections: 3 } });
    const request = `GET /large HTTP/1.1\r\nHost: x\r\n${AUTH}\r\n\r\n`;
    const deaf = await Promise.all([open(), open(), open()]);
    for (const socket of deaf) socket.pause().write(request);
    await waitFor(() => asked === 3);
    expect(await ask()).toMatch(/^HTTP\/1\.1 200 OK/);
  });

  it('are fewer where the process may open few files', () => {
    const limits = (files: string) =>
      `Limit  Soft Limit\nMax open files            ${files} 524288 files\n`;
    expect(maxConnections(1, limits('1024'))).toBe(512);
    expect(maxConnections(1, limits('1'))).toBe(1);
    expect(maxConnections(1, limits('1048576'))).toBe(5_000);
    expect(maxConnections(1, limits('unlimited'))).toBe(5_000);
    expect(maxConnections(1, '')).toBe(5_000);
    expect(maxConnections()).toBeGreaterThan(0);
  });

  it('share the files of the process among its servers', () => {
    const limits = 'Max open files            4096 524288 files\n';
    expect(maxConnections(1, limits)).toBe(2_048);
    expect(maxConnections(2, limits)).toBe(1_024);
  });
});

describe('bodies that do not come', () => {
  const post = (more: string) => `POST /json HTTP/1.1\r\nHost: x\r\n${AUTH}\r\n${more}\r\n\r\n`;
  const NEVER = [
    `${post('Content-Length: 11')}{`,
    post('Content-Length: 11'),
    `${post('Transfer-Encoding: chunked')}1\r\n{\r\n`,
    post('Expect: 100-continue\r\nContent-Length: 11'),
  ];

  it('are held to a number: those that wait longest are told so and cut', async () => {
    await start({ limits: { bodies: 20 } });
    const slow: { socket: Socket; received: string }[] = [];
    for (let index = 0; index < 100; index += 1) {
      const socket = await open(NEVER[index % NEVER.length]);
      const one = { socket, received: '' };
      socket.on('data', (data: Buffer) => (one.received += data.toString()));
      slow.push(one);
      await waitFor(() => asked === index + 1);
    }
    await waitFor(() => slow.filter(({ socket }) => socket.closed).length === 80);
    slow.forEach(({ socket, received }, index) => {
      expect(socket.closed).toBe(index < 80);
      const answer = received.replace('HTTP/1.1 100 Continue\r\n\r\n', '');
      if (index < 80) expectRefusal(answer, 503);
      else expect(answer).toBe('');
    });
    const body = '{"list":[]}';
    expect(await ask(`${post(`Content-Length: ${body.length}`)}${body}`)).toMatch(/200 OK/);
    expect(floods()).toEqual([
      expect.objectContaining({ limit: 20, msg: expect.stringContaining('too many bodies') }),
    ]);
  });

  it('do not count once they came, however long their answers take', async () => {
    await start({ limits: { bodies: 3 } });
    hold = true;
    const body = '{"list":[]}';
    const working = await Promise.all(
      Array.from({ length: 10 }, () => open(`${post(`Content-Length: ${body.length}`)}${body}`)),
    );
    await waitFor(() => held.length === 10);
    const slow = await open(NEVER[0]);
    await waitFor(() => asked === 11);
    const answers = working.map((socket) => once(socket, 'data'));
    held.splice(0).forEach((go) => go());
    for (const answer of answers) expect(String((await answer)[0])).toMatch(/200 OK/);
    expect(slow.closed).toBe(false);
  });

  it('make room when there are too many connections, and what came whole does not', async () => {
    await start({ limits: { connections: 6, bodies: 5 } });
    hold = true;
    const body = '{"list":[]}';
    const working = await open(`${post(`Content-Length: ${body.length}`)}${body}`);
    await waitFor(() => held.length === 1);
    const slow: Socket[] = [];
    for (let index = 0; index < 20; index += 1) {
      slow.push((await open(NEVER[index % NEVER.length])).resume());
      await waitFor(() => asked === index + 2);
    }
    await waitFor(() => slow.slice(0, 15).every(({ closed }) => closed));
    const answer = once(working, 'data');
    held.splice(0).forEach((go) => go());
    expect(String((await answer)[0])).toMatch(/200 OK/);
  });
});

describe('answers that nobody reads', () => {
  const request = `GET /large HTTP/1.1\r\nHost: x\r\n${AUTH}\r\n\r\n`;
  const accepted: Socket[] = [];
  const remember = (message: unknown) => accepted.push((message as { socket: Socket }).socket);
  beforeEach(() => {
    accepted.length = 0;
    subscribe('net.server.socket', remember);
  });
  afterEach(() => unsubscribe('net.server.socket', remember));
  const isUnread = (socket?: Socket) => (socket?.writableLength ?? 0) > 0;

  it('keep the next request of their connection from being served', async () => {
    await start();
    const deaf = await open();
    deaf.pause().write(request.repeat(5));
    await waitFor(() => isUnread(accepted[0]));
    expect(await ask()).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(asked).toBe(2);
    // Who reads gets them all.
    deaf.resume();
    await waitFor(() => asked === 6);
  });

  it('cost their connection after a time without progress', async () => {
    await start({ times: { unread: 300 } });
    const kept = await open(GET);
    await once(kept, 'data');
    (await open()).pause().write(request);
    await waitFor(() => isUnread(accepted[1]));
    await waitFor(() => accepted[1]?.destroyed);
    expect(accepted[0]?.destroyed).toBe(false);
  });

  it('may hold so many bytes together: those that wait longest are cut', async () => {
    await start({ limits: { unreadBytes: 10 * MIB } });
    for (let index = 0; index < 3; index += 1) {
      (await open()).pause().write(request);
      await waitFor(() => accepted[index]?.destroyed || isUnread(accepted[index]));
    }
    await waitFor(() => accepted[0]?.destroyed && accepted[1]?.destroyed);
    expect(accepted[2]?.destroyed).toBe(false);
    expect(floods()).toEqual([expect.objectContaining({ limit: 10 * MIB })]);
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
    socket.write(`GET /large HTTP/1.1\r\nHost: x\r\n${AUTH}\r\n\r\n`.repeat(4));
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

describe('headers that do not end', () => {
  const half = (bytes: number): string =>
    `POST /webhook/x HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(bytes)}`;

  it('may hold so many bytes together: those that wait longest are cut', async () => {
    await start({ limits: { headerBytes: 200_000 } });
    const kept = await open(GET);
    await once(kept, 'data');
    const quiet = await open();
    const slow: Socket[] = [];
    for (let index = 0; index < 20; index += 1) slow.push((await open(half(30_000))).resume());
    await waitFor(() => slow.filter(({ closed }) => !closed).length <= 6);
    expect(slow.at(-1)?.closed).toBe(false);
    // Who holds nothing is left alone, and who ends his headers is served.
    expect([kept.closed, quiet.closed]).toEqual([false, false]);
    slow.at(-1)?.write('\r\nConnection: close\r\n\r\n');
    const [answer] = (await once(slow.at(-1) as Socket, 'data')) as [Buffer];
    expectRefusal(answer.toString(), 401);
    expect(floods()).toEqual([
      expect.objectContaining({ msg: expect.stringContaining('too many unfinished headers') }),
    ]);
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

  it('may be held to fewer bytes', async () => {
    await start({ maxHeaderBytes: 64 * 1024 });
    expect(await ask(withHeaders(`X: ${'y'.repeat(60_000)}\r\n`))).toMatch(/^HTTP\/1\.1 200 OK/);
    const answer = await ask(withHeaders(`X: ${'y'.repeat(70_000)}\r\n`));
    expectRefusal(answer, 431);
    expect(answer).toContain('the headers exceed 64 KiB');
  });

  it('may be held to a number', async () => {
    await start({ maxHeaders: 200 });
    const many = (count: number) =>
      Array.from({ length: count }, (_, i) => `X-${i}: y\r\n`).join('');
    // Host and Connection are headers, too.
    expect(await ask(withHeaders(many(198)))).toMatch(/^HTTP\/1\.1 200 OK/);
    for (const count of [199, 5_000]) {
      const answer = await ask(withHeaders(many(count)));
      expectRefusal(answer, 431);
      expect(answer).toContain('more than 200 headers');
    }
  });

  describe('that are long', () => {
    const long = (path = '/mon/status', more = 'Y: y') =>
      `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\nX: ${'y'.repeat(30_000)}\r\n\r\n`;
    const limits = { headerBytes: 200_000 };

    it('are held to bytes together, and connections that keep them between requests go', async () => {
      await start({ limits });
      const ordinary = await open(GET);
      await once(ordinary, 'data');
      const sockets: Socket[] = [];
      for (let index = 0; index < 20; index += 1) {
        const socket = await open(long());
        await once(socket, 'data');
        sockets.push(socket.resume());
      }
      await waitFor(() => sockets.filter(({ closed }) => closed).length === 14);
      expect(sockets.map(({ closed }) => closed).lastIndexOf(true)).toBe(13);
      expect(ordinary.closed).toBe(false);
    });

    it('are refused with 503 while as many are being served, and ordinary ones are not', async () => {
      await start({ limits });
      hold = true;
      const body = '{"list":[]}';
      const post = `POST /json HTTP/1.1\r\nHost: x\r\n${AUTH}\r\nX: ${'y'.repeat(30_000)}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
      const working = await Promise.all(Array.from({ length: 6 }, () => open(post)));
      await waitFor(() => held.length === 6);
      expectRefusal(await readAll(await open(long())), 503);
      expect(await ask()).toMatch(/^HTTP\/1\.1 200 OK/);
      const answers = working.map((socket) => once(socket, 'data'));
      held.splice(0).forEach((go) => go());
      for (const answer of answers) expect(String((await answer)[0])).toMatch(/200 OK/);
    });

    it('make room where they were answered, and the answer is read by nobody', async () => {
      await start({ limits });
      const deaf = await open(long('/large', AUTH));
      // Eight MiB were handed over with the first byte.
      await once(deaf, 'data');
      deaf.pause();
      const other = await open(long('/mon/status', `Y: ${'y'.repeat(150_000)}`));
      expect(String((await once(other, 'data'))[0])).toMatch(/^HTTP\/1\.1 200 OK/);
      deaf.resume();
      await once(deaf, 'close');
    });

    it('that come before the answer to others cut nothing into that', async () => {
      await start({ limits: { headerBytes: 20_000 } });
      const answers = await readAll(
        await open(`GET /large HTTP/1.1\r\nHost: x\r\n${AUTH}\r\n\r\n${long()}`),
      );
      expect(answers).not.toContain('HTTP/1.1 503');
    });

    it('get one answer a connection where that is wanted', async () => {
      await start({ closeAfterLongHeaders: true });
      const answers = await readAll(await open(`${long()}${GET}`));
      expect(answers).toMatch(/^HTTP\/1\.1 200 OK/);
      expect(answers.match(/HTTP\/1\.1 /g)).toHaveLength(1);
      const other = await open(GET);
      await once(other, 'data');
      expect(other.closed).toBe(false);
    });
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
  const LAST = GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n');

  it('are all answered, in order', async () => {
    await start();
    const socket = await open(GET.repeat(9) + LAST);
    const answers = await readAll(socket);
    expect(answers.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(10);
  });

  it('are served one after the other', async () => {
    await start();
    hold = true;
    const body = '{"list":[]}';
    const post = `POST /json HTTP/1.1\r\nHost: x\r\n${AUTH}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const socket = await open(post.repeat(5));
    let answers = '';
    socket.on('data', (data: Buffer) => (answers += data.toString()));
    for (let served = 1; served <= 5; served += 1) {
      await waitFor(() => held.length === 1);
      expect(asked).toBe(served);
      held.splice(0).forEach((go) => go());
      await waitFor(() => answers.match(/200 OK/g)?.length === served);
    }
  });

  it('that wait are held to a number over all connections', async () => {
    await start({ limits: { waiting: 6 } });
    hold = true;
    const post = `POST /json HTTP/1.1\r\nHost: x\r\n${AUTH}\r\nContent-Length: 2\r\n\r\n{}`;
    const closed: boolean[] = [];
    for (let index = 0; index < 4; index += 1) {
      const socket = (await open(post.repeat(4))).resume();
      socket.once('close', () => (closed[index] = true));
      await waitFor(() => held.length === index + 1);
    }
    await waitFor(() => closed[0] && closed[1]);
    expect(closed.slice(2)).toEqual([]);
    held.splice(0).forEach((go) => go());
    expect(asked).toBe(4);
    expect(floods()).toEqual([expect.objectContaining({ limit: 6 })]);
  });

  it('may be any number, as long as few wait for their answers', async () => {
    await start();
    const socket = await open();
    let answers = '';
    socket.on('data', (data: Buffer) => (answers += data.toString()));
    const count = () => answers.match(/HTTP\/1\.1 200 OK/g)?.length ?? 0;
    for (let sent = 5; sent <= 100; sent += 5) {
      socket.write(GET.repeat(5));
      await waitFor(() => count() === sent);
    }
  });

  it('by the thousand cut their connection before they cost anything', async () => {
    await start();
    for (const requests of [GET, `POST /json HTTP/1.1\r\nHost: x\r\n${AUTH}\r\n\r\n`]) {
      asked = 0;
      const socket = await open(requests.repeat(20_000));
      await readAll(socket).catch(() => '');
      expect(asked).toBeLessThanOrEqual(10);
    }
    expect(await ask()).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(floods()).toEqual([expect.objectContaining({ limit: 10, cut: 1 })]);
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

describe('what is read in one turn of the event loop', () => {
  const read = new Map<Socket, number>();
  const remember = (message: unknown): void => {
    read.set((message as { socket: Socket }).socket, 0);
  };
  beforeEach(() => subscribe('net.server.socket', remember));
  afterEach(() => {
    unsubscribe('net.server.socket', remember);
    read.clear();
  });

  /** The most bytes that the server read from one turn to the next, until all is quiet. */
  async function mostInOneTurn(count: number, text: string): Promise<number> {
    const clients = await Promise.all(Array.from({ length: count }, () => open()));
    await waitFor(() => read.size === count, { what: 'all connections to be accepted' });
    // All in one turn: the kernel has them before the server reads a byte.
    for (const client of clients) client.write(text);
    let most = 0;
    const look = (): boolean => {
      let turn = 0;
      for (const [socket, before] of read) {
        turn += socket.bytesRead - before;
        read.set(socket, socket.bytesRead);
      }
      most = Math.max(most, turn);
      return [...read].every(([{ destroyed }, bytes]) => destroyed || bytes >= text.length);
    };
    do await new Promise((turned) => setImmediate(turned));
    while (!look());
    return most;
  }

  it.each([
    ['headers that do not end', `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'y'.repeat(60_000)}`],
    ['long headers', `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'y'.repeat(60_000)}\r\n\r\n`],
  ])('is bounded, whatever came: %s', async (_, text) => {
    await start({ maxHeaderBytes: 64 * 1024 });
    // The limit, and the last of them.
    expect(await mostInOneTurn(500, text)).toBeLessThan(5 * MIB);
    expect(await ask()).toMatch(/^HTTP\/1\.1 200 OK/);
    const { parsers } = jest.requireActual<{ parsers: { list: unknown[] } }>('_http_common');
    // Node keeps the headers with them.
    expect(parsers.list.length).toBeLessThanOrEqual(50);
  });
});
