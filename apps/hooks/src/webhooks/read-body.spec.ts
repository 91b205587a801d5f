import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { fuzzRuns, waitFor } from '@cds/testing';
import fc from 'fast-check';
import { createBodyBudget } from './body-budget';
import { readBody } from './read-body';

const LIMIT = 6_000;
const MOST = 12_000;

type Outcome = { body: Buffer } | { error: string };

let budget = createBodyBudget(MOST);
const outcomes: Outcome[] = [];
const server = createServer((request, response) => void read(request, response));
const sockets: Socket[] = [];

beforeAll(() => once(server.listen(0, '127.0.0.1'), 'listening'));
beforeEach(() => {
  outcomes.splice(0);
  budget = createBodyBudget(MOST);
});
afterEach(() => sockets.splice(0).forEach((socket) => socket.destroy()));
afterAll(() => new Promise((resolve) => server.close(resolve)));

async function read(request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    outcomes.push({ body: await readBody(request, budget, LIMIT) });
  } catch (error) {
    outcomes.push({ error: error instanceof Error ? `${error.name} ${error.message}` : '' });
  }
  response.setHeader('Connection', 'close').end();
}

/** Begins a request with a body in chunks. */
async function send(...chunks: Uint8Array[]): Promise<Socket> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  sockets.push(socket.on('error', () => undefined));
  socket.resume().write('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
  for (const chunk of chunks) more(socket, chunk);
  return socket;
}

function more(socket: Socket, chunk: Uint8Array): void {
  socket.write(`${chunk.length.toString(16)}\r\n`);
  socket.write(chunk);
  socket.write('\r\n');
}

const next = (count = 1) => waitFor(() => outcomes.length >= count, { what: 'the outcome' });

it('gives the bytes as they came, in whatever pieces', async () => {
  const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 90 }), { maxLength: 10 });
  await fc.assert(
    fc.asyncProperty(pieces, async (chunks) => {
      outcomes.splice(0);
      (await send(...chunks)).write('0\r\n\r\n');
      await next();
      expect(outcomes).toEqual([{ body: Buffer.concat(chunks) }]);
      expect(budget.total()).toBe(0);
    }),
    fuzzRuns(40),
  );
});

it('refuses what is larger, and forgets it, before its end', async () => {
  await send(new Uint8Array(LIMIT), new Uint8Array(1));
  await next();
  expect(outcomes).toEqual([{ error: expect.stringContaining('larger than 6000 bytes') }]);
  expect(budget.total()).toBe(0);
});

it('takes a body in thousands of pieces, but not in any number of them', async () => {
  const one = new Uint8Array(1);
  (await send(...Array<Uint8Array>(5_000).fill(one))).write('0\r\n\r\n');
  await next();
  await send(...Array<Uint8Array>(5_001).fill(one));
  await next(2);
  expect(outcomes).toEqual([
    { body: Buffer.alloc(5_000) },
    { error: expect.stringContaining('too many small pieces') },
  ]);
});

it('forgets what was broken off', async () => {
  const socket = await send(new Uint8Array(5_000));
  await waitFor(() => budget.total() > 0);
  socket.destroy();
  await next();
  expect(outcomes).toEqual([{ error: expect.stringContaining('ClientGoneError') }]);
  expect(budget.total()).toBe(0);
});

it('gives up the oldest of those under way when together they are too much, and serves the others', async () => {
  const first = await send(new Uint8Array(5_000));
  await waitFor(() => budget.total() === 5_000);
  const second = await send(new Uint8Array(5_000));
  await waitFor(() => budget.total() === 10_000);
  const third = await send(new Uint8Array(5_000));
  await next();
  expect(outcomes).toEqual([{ error: expect.stringContaining('took longest: send it again') }]);
  expect(budget.total()).toBe(10_000);

  for (const socket of [first, second, third]) socket.write('0\r\n\r\n');
  await next(3);
  expect(outcomes.slice(1)).toEqual([{ body: Buffer.alloc(5_000) }, { body: Buffer.alloc(5_000) }]);
  expect(budget.total()).toBe(0);
});

it('gives up a body that takes too long, however steadily it comes, and no other', async () => {
  budget = createBodyBudget(MOST, 400);
  const slow = await send();
  const drip = setInterval(() => more(slow, new Uint8Array(1)), 20);
  await waitFor(() => budget.total() > 0);
  const quick = await send(new Uint8Array(10));
  await waitFor(() => budget.total() > 10);
  quick.write('0\r\n\r\n');
  await next(2);
  clearInterval(drip);
  expect(outcomes).toEqual([
    { body: Buffer.alloc(10) },
    { error: expect.stringContaining('took too long: send it again') },
  ]);
  expect(budget.total()).toBe(0);
  // The next one has a time of its own.
  const later = await send(new Uint8Array(5));
  await waitFor(() => budget.total() > 0);
  later.write('0\r\n\r\n');
  await next(3);
  expect(outcomes.at(-1)).toEqual({ body: Buffer.alloc(5) });
});

it('is crowded while a hundred bodies are on their way', async () => {
  const memories = Array.from({ length: 99 }, () => budget.begin(() => undefined));
  expect(budget.isCrowded()).toBe(false);
  const last = budget.begin(() => undefined);
  expect(budget.isCrowded()).toBe(true);
  last.release();
  expect(budget.isCrowded()).toBe(false);
  memories.forEach((memory) => memory.release());
});
