import { Readable } from 'node:stream';
import { createServer, type Server } from 'node:net';
import { gzipSync } from 'node:zlib';
import {
  bundleProgram,
  type HostileServer,
  startHostileServer,
  startProcess,
  waitFor,
} from '@cds/testing';
import { BitbucketError, createOAuthClient, DeadGrantError } from '..';
import { context, fastClient, tokenSource } from '../../test/client.fixture';
import { branchValue, repositoryValue } from '../../test/values.fixture';

const MIB = 1024 * 1024;
const repo = { workspace: 'ws', slug: 'repo' };

let server: HostileServer;
beforeEach(async () => {
  server = await startHostileServer();
});
afterEach(async () => {
  jest.restoreAllMocks();
  await server.close();
});

const client = (more = {}) => fastClient(`${server.origin}/2.0`, more);

async function failure(call: Promise<unknown>): Promise<BitbucketError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof BitbucketError)) throw new Error(`no BitbucketError: ${String(error)}`);
  return error;
}

/** Counts the bytes that come out of decompression. */
function countInflated(): () => number {
  let bytes = 0;
  const { push } = Readable.prototype;
  jest.spyOn(Readable.prototype, 'push').mockImplementation(function (
    this: Readable,
    ...given: Parameters<typeof push>
  ) {
    const [chunk] = given as unknown[];
    if (this.constructor.name === 'Unzip' && Buffer.isBuffer(chunk)) bytes += chunk.length;
    return push.apply(this, given);
  });
  return () => bytes;
}

const json = (value: unknown) => (_req: unknown, res: { end(body: string): void }) =>
  res.end(JSON.stringify(value));

describe('an answer without end', () => {
  it.each([
    ['a success', 200, {}, 17 * MIB],
    ['a refusal', 403, {}, 2 * MIB],
    ['a redirect', 302, { Location: '/2.0/x' }, 4 * MIB],
  ])('is read up to its bound and its connection closed: %s', async (_, status, headers, most) => {
    const sent = server.streamForEver(Buffer.alloc(256 * 1024, '['), { status, headers });
    const error = await failure(client().getRepository(repo, context()));
    expect(error.kind).toBe(status === 200 ? 'invalid-answer' : 'answer');
    await waitFor(() => server.open.size === 0, { what: 'the connection to be closed' });
    // What the sockets of both sides hold is sent too.
    expect(sent()).toBeLessThan(most + 8 * MIB);
  });

  it('is counted by what it becomes when it is compressed, also many times over', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * MIB, ' '));
    server.behave((_req, res) => res.writeHead(200, { 'Content-Encoding': 'gzip' }).end(bomb));
    const inflated = countInflated();
    expect((await failure(client().getRepository(repo, context()))).message).toContain('larger');
    const once = inflated();
    expect(once).toBeGreaterThan(16 * MIB);
    expect(once).toBeLessThan(18 * MIB);
    server.behave((_req, res) =>
      res.writeHead(200, { 'Content-Encoding': Array(50).fill('gzip').join() }).end(bomb),
    );
    expect(await failure(client().getRepository(repo, context()))).toBeDefined();
    // No more than once: what comes out of it would be as much again for each.
    expect(inflated() - once).toBeLessThan(18 * MIB);
    expect(server.requests).toHaveLength(2);
  });

  it('that comes a byte at a time ends with its time', async () => {
    server.behave((_req, res) => {
      const dripping = setInterval(() => res.write(' '), 10);
      res.once('close', () => clearInterval(dripping));
    });
    const error = await failure(client({ attemptTimeoutMs: 150 }).getRepository(repo, context()));
    expect(error.kind).toBe('timeout');
    await waitFor(() => server.open.size === 0);
  });
});

describe('an answer that is more in memory than on the wire', () => {
  const BOMBS: [name: string, body: string, sentence: RegExp][] = [
    ['millions of values', `{"values":[${'{},'.repeat(5 * MIB)}{}]}`, /more than 1000000 values/],
    ['millions of brackets', `{"values":${'['.repeat(15 * MIB)}`, /more than 1000000 values/],
    ['a page of 300,000', `{"values":[${'{},'.repeat(300_000)}{}]}`, /values is not as expected/],
    [
      'parents of 200,000',
      JSON.stringify({
        values: [{ name: 'b', target: { hash: 'h', parents: Array(200_000).fill({ hash: 1 }) } }],
      }),
      /^1 branches$/,
    ],
    ['a name of 15 MiB', `{"values":[{"name":"${'x'.repeat(15 * MIB)}"}]}`, /not as expected/],
  ];

  it.each(BOMBS)('is refused by a process with little of it: %s', async (_, body, sentence) => {
    server.behave((_req, res) => res.end(body));
    const reader = await startProcess({
      command: process.execPath,
      args: [
        '--max-old-space-size=96',
        bundleProgram('libs/bitbucket/test/read-hostile.ts'),
        `${server.origin}/2.0`,
      ],
      env: { PATH: process.env['PATH'] },
    });
    expect((await reader.exited).code).toBe(0);
    expect(reader.stdout().trim()).toMatch(sentence);
    expect(server.requests).toHaveLength(1);
  });

  it('is not parsed where it holds more than a million values', async () => {
    for (const [, body, sentence] of BOMBS.slice(0, 2)) {
      server.behave((_req, res) => res.end(body));
      const parse = jest.spyOn(JSON, 'parse');
      expect((await failure(client().listBranches(repo, context()))).message).toMatch(sentence);
      const texts = parse.mock.calls.map(([text]) => text.length);
      parse.mockRestore();
      expect(Math.max(0, ...texts)).toBeLessThan(MIB);
    }
    expect(server.requests).toHaveLength(2);
  });
});

describe('a list', () => {
  const url = (page: number) => `${server.origin}/2.0/repositories/ws/repo/refs/branches?p=${page}`;

  it('without end is read up to 64 MiB in all', async () => {
    let page = 0;
    const padding = 'x'.repeat(10 * MIB);
    server.behave((_req, res) => {
      page += 1;
      json({ values: [branchValue('b')], next: url(page), padding })(_req, res);
    });
    const error = await failure(client().listBranches(repo, context()));
    expect(error.message).toContain('the list is larger than 67108864 bytes');
    expect(page).toBe(7);
  });

  it('of all workspaces shares that bound', async () => {
    const padding = 'x'.repeat(10 * MIB);
    server.behave((req, res) => {
      if (!req.url?.startsWith('/2.0/user/workspaces')) {
        return json({ values: [repositoryValue('ws/repo')], padding })(req, res);
      }
      const values = Array.from({ length: 100 }, (_, i) => ({ workspace: { slug: `w${i}` } }));
      json({ values })(req, res);
    });
    const error = await failure(client().listRepositories(context()));
    expect(error.message).toContain('the list is larger');
    expect(server.requests.length).toBeLessThan(1 + 7 + 16);
  });

  it('whose next is nothing to follow is not taken for the whole', async () => {
    for (const next of [5, {}, ['x'], true, 'http://', 'x'.repeat(20_000)]) {
      server.behave(json({ values: [branchValue('b')], next }));
      expect((await failure(client().listBranches(repo, context()))).kind).toBe('invalid-answer');
    }
    for (const next of [null, '', undefined]) {
      server.behave(json({ values: [branchValue('b')], next }));
      expect(await client().listBranches(repo, context())).toHaveLength(1);
    }
  });

  it('ends with the time of its caller, however many pages there are', async () => {
    let page = 0;
    server.behave((req, res) => {
      page += 1;
      setTimeout(() => json({ values: [], next: url(page) })(req, res), 20);
    });
    expect((await failure(client().listBranches(repo, context(400)))).kind).toBe('timeout');
  });
});

describe('a redirect', () => {
  const redirect = (location: string, body = '') =>
    server.behave((_req, res) => res.writeHead(302, { Location: location }).end(body));

  it('in a circle is followed three times', async () => {
    redirect('/2.0/repositories/ws/repo');
    expect(await failure(client().getRepository(repo, context()))).toMatchObject({
      kind: 'answer',
      status: 302,
    });
    expect(server.requests).toHaveLength(4);
  });

  it('of a write is not followed', async () => {
    redirect('/2.0/repositories/ws/repo/hooks');
    const hook = {
      url: 'https://h.example',
      description: 'd',
      events: [],
      active: true,
      secret: 's',
    };
    await failure(client().createHook(repo, hook, context()));
    expect(server.requests).toHaveLength(1);
  });

  it('to anywhere else never gets the token, nor does a forged next', async () => {
    const stranger = await startHostileServer();
    try {
      const { port } = stranger;
      const host = new URL(server.origin).host;
      const forged = [
        `${stranger.origin}/2.0/repositories`,
        `//127.0.0.1:${port}/2.0/x`,
        `\\\\127.0.0.1:${port}\\2.0\\x`,
        `http://${host}@127.0.0.1:${port}/2.0/x`,
        `http://127.0.0.1:${port}#@${host}/2.0/x`,
        `http://localhost:${port}/2.0/x`,
        `http://[::ffff:127.0.0.1]:${port}/2.0/x`,
        `http://0x7f000001:${port}/2.0/x`,
        `http://user:pass@${host}/2.0/x`,
        `https://${host}/2.0/x`,
        `ftp://${host}/2.0/x`,
        `file:///etc/passwd`,
        `data:application/json,{"values":[]}`,
        '/2.0/../1.0/x',
        '/2.0/%2e%2e/1.0/x',
        '/2.0evil/x',
        '/',
      ];
      for (const location of forged) {
        redirect(location);
        const refused = await failure(client().getRepository(repo, context()));
        expect([location, refused.kind]).toEqual([location, 'invalid-answer']);
        expect(refused.message).toContain('not followed');
        server.behave(json({ values: [], next: location }));
        expect((await failure(client().listBranches(repo, context()))).message).toContain(
          'not followed',
        );
      }
      expect(stranger.requests).toEqual([]);
      expect(stranger.credentialsSeen).toBe(0);
      expect(server.requests).toHaveLength(2 * forged.length);
    } finally {
      await stranger.close();
    }
  });

  it('that says the token in its body does not bring it into the error', async () => {
    server.behave((_req, res) => res.writeHead(307).end('moved for token-1'));
    const error = await failure(client().getRepository(repo, context()));
    expect(error.bitbucketMessage).toBe('moved for [hidden]');
  });

  it('to a 401 renews the grant once, not once a hop', async () => {
    server.behave((req, res) => {
      const hop = Number(new URL(req.url ?? '', server.origin).searchParams.get('hop') ?? 0);
      if (req.headers.authorization === 'Bearer token-1' || hop === 2) {
        res.writeHead(401).end();
        return;
      }
      res.writeHead(302, { Location: `/2.0/x?hop=${hop + 1}` }).end();
    });
    const tokens = tokenSource();
    expect((await failure(client({ tokens }).getRepository(repo, context()))).status).toBe(401);
    expect(tokens.rejected).toEqual(['token-1']);
  });
});

describe('a secret that Bitbucket repeats', () => {
  it('is not half in the error where the message is cut', async () => {
    for (let pad = 985; pad < 1_001; pad += 1) {
      server.behave((_req, res) => res.writeHead(403).end(`${'.'.repeat(pad - 1)}ptoken-1`));
      const error = await failure(client().getRepository(repo, context()));
      expect(error.message).not.toContain('pt');
    }
  });

  it('is not in the error either when it is a token of another call', async () => {
    const token = 'aB3_-'.repeat(500);
    server.behave((_req, res) => res.writeHead(400).end(`no: ${token}, nor "${token}"`));
    const error = await failure(client().getRepository(repo, context()));
    expect(error.bitbucketMessage).toBe('no: [hidden], nor "[hidden]"');
  });

  it('is not in the error when it is the secret of a webhook', async () => {
    const secret = 'the-secret-of-the-webhook';
    const hook = { url: 'https://h.example', description: 'd', events: [], active: true, secret };
    server.behave((_req, res) => res.writeHead(400).end(`secret: "${secret}" is too short`));
    for (const call of [
      client().createHook(repo, hook, context()),
      client().updateHook(repo, '{1}', hook, context()),
    ]) {
      expect((await failure(call)).bitbucketMessage).toBe('secret: "[hidden]" is too short');
    }
  });

  it('is found in other spellings too', async () => {
    const clientSecret = 'a"b+c/d=e f';
    const oauth = createOAuthClient({ oauthUrl: server.origin, clientId: 'id', clientSecret });
    const base64 = Buffer.from(`id:${clientSecret}`).toString('base64');
    const spellings = [
      clientSecret,
      JSON.stringify(clientSecret),
      new URLSearchParams({ s: clientSecret }).toString(),
      base64,
      Buffer.from(clientSecret).toString('base64'),
    ];
    for (const spelling of spellings) {
      server.behave((_req, res) => res.writeHead(400).end(`no ${spelling}`));
      const error = await failure(oauth.exchangeCode('the-code', context()));
      expect(error.bitbucketMessage).toContain('[hidden]');
      expect(error.bitbucketMessage).not.toMatch(/a\\?"b|YSJi|%22b/);
    }
  });
});

describe('an error body of the wrong types', () => {
  it.each([
    ['fields without a text', { fields: { url: { toString: 1, valueOf: 2 } } }],
    ['a list of such', { fields: { url: [{ toString: 1 }] } }],
    ['a detail of such', { detail: { required: [{ toString: 1 }] } }],
  ])('is still a refusal: %s', async (_, error) => {
    server.behave((_req, res) =>
      res.writeHead(400).end(JSON.stringify({ error: { message: 'm', ...error } })),
    );
    expect(await failure(client().getRepository(repo, context()))).toMatchObject({ status: 400 });
  });

  it('is still a refusal at any depth', async () => {
    const deep = `${'['.repeat(25_000)}${']'.repeat(25_000)}`;
    server.behave((_req, res) =>
      res.writeHead(400).end(`{"error":{"message":"m","detail":{"a":${deep}}}}`),
    );
    expect(await failure(client().getRepository(repo, context()))).toMatchObject({ status: 400 });
  });
});

describe('a token answer', () => {
  const valid = { access_token: 'a', refresh_token: 'r', expires_in: 7200 };
  const exchange = async (answer: object) => {
    server.behave(json(answer));
    return createOAuthClient({
      oauthUrl: server.origin,
      clientId: 'id',
      clientSecret: 's',
    }).exchangeCode('the-code', context());
  };

  it.each([
    ['a line break', { access_token: 'a\r\nX-Evil: 1' }],
    ['no ASCII', { refresh_token: 'ü' }],
    ['20,000 characters', { access_token: 'x'.repeat(20_000) }],
    ['none', { access_token: '' }],
  ])('with a token of %s is refused', async (_, wrong) => {
    const error = await failure(exchange({ ...valid, ...wrong }));
    expect(error).toMatchObject({ kind: 'invalid-answer' });
    expect(error).not.toBeInstanceOf(DeadGrantError);
  });

  it.each([1e308, '1e400', -5, 0, {}, 'soon', null])(
    'that lasts for %p is taken for one of an hour',
    async (lifetime) => {
      expect(await exchange({ ...valid, expires_in: lifetime })).toMatchObject({
        expiresInSeconds: 3600,
      });
    },
  );
});

describe('what is no HTTP', () => {
  let raw: Server;
  afterEach(() => new Promise((done) => raw.close(done)));

  it.each([
    ['noise', 'hello there\r\n\r\n'],
    ['a switch of protocols', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}'],
    ['a chunk of no size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}'],
    ['headers without end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(200_000)}`],
    ['a thousand headers', `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(30_000)}\r\n`],
    ['nothing', ''],
  ])('is an error: %s', async (_, answer) => {
    raw = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(answer));
    });
    await new Promise<void>((done) => raw.listen(0, '127.0.0.1', done));
    const { port } = raw.address() as { port: number };
    const broken = fastClient(`http://127.0.0.1:${port}/2.0`, { attemptTimeoutMs: 5_000 });
    const error = await failure(broken.getRepository(repo, context()));
    expect(['unreachable', 'timeout', 'invalid-answer', 'answer']).toContain(error.kind);
  });
});
