import { createServer, type Server } from 'node:net';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { NO_PARENT_WORKFLOW, type NodeHook } from '@cds/wire';
import {
  cpuTime,
  fuzzRuns,
  hostileBytes,
  hostileJson,
  type HostileServer,
  startHostileServer,
  waitFor,
} from '@cds/testing';
import { CdsApiClient, isApiError } from './index';

const TOKEN = 'Qb3-the-token-nobody-may-read';
const HASH = 'Hy8-the-hash-nobody-may-read';
const SECRETS = [TOKEN, HASH].flatMap((text) => [
  text,
  Buffer.from(text)
    .toString('base64')
    .replace(/={1,2}$/, ''),
]);
const MIB = 1024 * 1024;
const registration = {
  name: 'cds-vcs',
  type: 'vcs' as const,
  http_url: 'http://localhost:8084',
  token: TOKEN,
  monitoring_status: { now: '2026-11-22T10:32:32Z', lines: [] },
  config: {},
  version: '1.2.3',
};
const registered = { ...registration, id: 1, hash: HASH, token: '', up_to_date: true };
const hook = {
  id: 1,
  uuid: 'a64f7a38-1ffb-460e-b058-89f4e5b03359',
  ref: 'r',
  node_id: 1,
  hook_model_id: 2,
  hook_model_name: 'RepositoryWebHook',
  config: { project: { value: 'P', configurable: false, type: 'string' } },
};
const event = { payload: {}, uuid: 'u', parent_workflow: NO_PARENT_WORKFLOW };

let server: HostileServer;
let client: CdsApiClient;
beforeEach(async () => {
  server = await startHostileServer();
  client = new CdsApiClient({ url: server.origin, insecure: false, requestTimeoutSeconds: 300 });
  server.behave((_req, res) => res.end(JSON.stringify(registered)));
  await client.register(registration);
});
afterEach(async () => {
  client.close();
  await server.close();
});

async function listHooks(from = client): Promise<NodeHook[]> {
  const all: NodeHook[] = [];
  for await (const some of from.workflowHooks()) all.push(...some);
  return all;
}

/** What came of a call: its value, or its error, which must be an ApiError. */
async function outcome(call: Promise<unknown>): Promise<unknown> {
  try {
    return { value: await call };
  } catch (error) {
    if (!isApiError(error)) throw error;
    const everything = `${inspect(error, { depth: 9, showHidden: true })} ${JSON.stringify(error)}`;
    for (const secret of SECRETS) expect(everything).not.toContain(secret);
    expect(error.message.length).toBeLessThanOrEqual(2_000);
    return { kind: error.kind, message: error.message };
  } finally {
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  }
}

const branch = { id: 'main', display_id: 'main', latest_commit: '', default: true, parents: null };
const pushed = {
  repo: 'acme/web-shop',
  branch,
  commit: {
    id: 'a'.repeat(40),
    author: { name: 'ann', displayName: 'Ann', emailAddress: 'ann@example.com', avatar: '' },
    authorTimestamp: 1,
    message: 'M',
    url: '',
  },
  clone_url: '',
};
const happened = {
  push_events: [pushed],
  create_events: null,
  delete_events: [{ branch }],
  pullrequest_events: [{ action: 'opened', head: pushed }],
};
const polled = { uuid: 'u', workflowId: '3', vcsServer: 'bitbucketcloud' };

const CALLS: [name: string, valid: unknown, call: () => Promise<unknown>][] = [
  ['a registration', registered, () => client.register(registration)],
  ['the list of hooks', [hook, hook, null], () => listHooks()],
  ['the version', { version: '0.41.0' }, () => client.version()],
  [
    'a run',
    { id: 1, num: 7, workflow: { name: 'w' } },
    () => client.runWorkflow({ project: 'P', workflow: 'w', event }),
  ],
  ['a poll', happened, () => client.pollVcsEvents(polled, 1_795_343_649_000)],
  [
    'a refusal',
    { id: 10, message: `no ${TOKEN} ${HASH}`, data: null, uuid: 'u' },
    () => client.deleteBranchRuns({ project: 'P', workflow: 'w', branch: 'b' }),
  ],
];

describe('an answer of any kind', () => {
  it.each(CALLS)('to %s is a value or an ApiError', async (_, valid, call) => {
    const answers = fc.record({
      status: fc.constantFrom(200, 200, 200, 202, 204, 302, 400, 401, 404, 500, 502, 503),
      headers: fc.constantFrom<Record<string, string>>(
        {},
        { 'Content-Type': 'text/html' },
        { 'Content-Encoding': 'gzip' },
        { Location: 'http://evil.example/' },
        { set: 'x', get: 'y', constructor: 'z' },
      ),
      body: hostileBytes(fc, hostileJson(fc, valid)),
    });
    await fc.assert(
      fc.asyncProperty(answers, async ({ status, headers, body }) => {
        server.behave((_req, res) => res.writeHead(status, headers).end(body));
        const first = await outcome(call());
        expect(await outcome(call())).toEqual(first);
      }),
      fuzzRuns(60),
    );
  });
});

describe('an answer that is too much', () => {
  const heap = () => process.memoryUsage().rss;

  it.each([
    ['a version', 40, () => client.version()],
    ['a list', 140, () => listHooks()],
  ])(
    'without end is read up to its bound, and its connection closed: %s',
    async (_, most, call) => {
      const sent = server.streamForEver(Buffer.alloc(256 * 1024, ' '));
      expect(await outcome(call())).toMatchObject({ kind: 'unavailable' });
      await waitFor(() => server.open.size === 0, { what: 'the connection to be closed' });
      expect(sent()).toBeLessThan(most * MIB);
    },
  );

  it('when it is unpacked is counted by that', async () => {
    const bomb = gzipSync(Buffer.alloc(128 * MIB, ' '));
    server.behave((_req, res) => res.writeHead(200, { 'Content-Encoding': 'gzip' }).end(bomb));
    expect(await outcome(client.version())).toMatchObject({ kind: 'unavailable' });
  });

  it('in memory is bounded in memory, and in work by that for an ordinary list', async () => {
    const ordinary = JSON.stringify(Array.from({ length: 90_000 }, () => hook));
    const read = (text: string) => {
      server.behave((_req, res) => res.end(text));
      return cpuTime(() => outcome(listHooks()));
    };
    await read(ordinary);
    const usual = await read(ordinary);
    for (const body of [
      // Millions of values.
      `[${'{},'.repeat(10 * MIB)}{}]`,
      // Of brackets.
      '['.repeat(30 * MIB),
      // A million hooks.
      `[${'{"uuid":"u"},'.repeat(MIB)}{}]`,
      // A hook of 400,000 settings.
      `[{"uuid":"u","config":{${Array.from({ length: 400_000 }, (_, i) => `"${i}":1`).join()}}}]`,
    ]) {
      const before = heap();
      expect(await read(body)).toBeLessThan(3 * usual);
      expect(heap() - before).toBeLessThan(600 * MIB);
    }
  });

  it('that comes a byte at a time ends with its time', async () => {
    const hasty = new CdsApiClient({
      url: server.origin,
      insecure: false,
      requestTimeoutSeconds: 0.2,
    });
    server.behave((_req, res) => {
      const dripping = setInterval(() => res.write(' '), 10);
      res.once('close', () => clearInterval(dripping));
    });
    expect(await outcome(listHooks(hasty))).toMatchObject({ kind: 'unavailable' });
    hasty.close();
  });

  it.each([
    ['a hash', { ...registered, hash: 'x'.repeat(2_000) }],
    ['no hash', { ...registered, hash: '' }],
    ['another type', { ...registered, type: '__proto__' }],
  ])('for a header is refused, and the hash before it kept: %s', async (_, body) => {
    server.behave((_req, res) => res.end(JSON.stringify(body)));
    expect(await outcome(client.register(registration))).toMatchObject({ kind: 'unavailable' });
    let sent: unknown;
    server.behave((req, res) => {
      sent = req.headers.x_auth_header;
      res.end('[]');
    });
    await listHooks();
    expect(sent).toBe(Buffer.from(HASH).toString('base64'));
  });
});

describe('a redirect', () => {
  it('is not followed, so that nobody else gets the hash', async () => {
    const stranger = await startHostileServer();
    for (const status of [301, 302, 303, 307, 308]) {
      server.behave((_req, res) => res.writeHead(status, { Location: stranger.origin }).end());
      expect(await outcome(listHooks())).toMatchObject({ kind: 'unavailable' });
    }
    expect(stranger.requests).toEqual([]);
    await stranger.close();
  });
});

describe('what is no HTTP', () => {
  let raw: Server;
  afterEach(() => new Promise((done) => raw.close(done)));

  it.each([
    ['noise', 'hello there\r\n\r\n'],
    ['a switch of protocols', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}'],
    ['headers without end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(200_000)}`],
    ['nothing', ''],
  ])('is an error: %s', async (_, answer) => {
    raw = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(answer));
    });
    await new Promise<void>((done) => raw.listen(0, '127.0.0.1', done));
    const { port } = raw.address() as { port: number };
    const broken = new CdsApiClient({
      url: `http://127.0.0.1:${port}`,
      insecure: false,
      requestTimeoutSeconds: 1,
    });
    expect(await outcome(broken.version())).toMatchObject({ kind: 'unavailable' });
    broken.close();
  });
});
