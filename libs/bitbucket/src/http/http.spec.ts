import { inspect } from 'node:util';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { waitFor } from '@cds/testing';
import { type BitbucketCall, BitbucketError } from '..';
import { context, fastClient, tokenSource } from '../../test/client.fixture';
import { type FakeBitbucket, refuse, startFakeBitbucket } from '../../test/fake-bitbucket.fixture';
import { type FakeRequest, startFakeServer } from '../../test/fake-server.fixture';
import { branchValue, hashOf, repositoryValue } from '../../test/values.fixture';

const repo = { workspace: 'ws', slug: 'repo' };
const hook = {
  url: 'https://h.example',
  description: 'd',
  events: ['repo:push'],
  active: true,
  secret: 'c'.repeat(64),
};
const rateLimited = {
  status: 429,
  headers: { 'Content-Type': 'text/plain' },
  body: 'Rate limit for this resource has been exceeded',
};

let bitbucket: FakeBitbucket;
beforeEach(async () => {
  bitbucket = await startFakeBitbucket();
  bitbucket.objects.set('repositories|ws|repo', repositoryValue('ws/repo'));
});
afterEach(() => bitbucket.close());

async function failure(call: Promise<unknown>): Promise<BitbucketError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof BitbucketError)) throw new Error(`no BitbucketError: ${String(error)}`);
  return error;
}

describe('the access token', () => {
  it('goes as Bearer, in the header only', async () => {
    await fastClient(bitbucket.apiUrl).getRepository(repo, context());
    expect(bitbucket.requests).toHaveLength(1);
    expect(bitbucket.requests[0]?.headers.authorization).toBe('Bearer token-1');
    expect(bitbucket.requests[0]?.query.size).toBe(0);
  });

  it('goes as Basic where it has a user, and neither is in an error in any form', async () => {
    const tokens = { ...tokenSource(), user: 'jdoe@example.com' };
    const basic = `Basic ${Buffer.from('jdoe@example.com:token-1').toString('base64')}`;
    const client = fastClient(bitbucket.apiUrl, { tokens });
    bitbucket.scripted.push((request: FakeRequest) => ({
      status: 400,
      body: `${request.headers.authorization} of token-1`,
    }));
    const error = await failure(client.getRepository(repo, context()));
    expect(bitbucket.requests[0]?.headers.authorization).toBe(basic);
    expect(error.bitbucketMessage).toMatch(/^Basic \[hidden\]\S* of \[hidden\]$/);
    expect(inspect(error)).not.toContain(basic.slice(6, -4));
    expect(error.call).toBe('GET /repositories/{workspace}/{repo_slug}');
  });

  it('tells how many calls are granted where Bitbucket says so of its API', async () => {
    const calls: BitbucketCall[] = [];
    const client = fastClient(bitbucket.apiUrl, { onCall: (call) => calls.push(call) });
    for (const [limit, resource] of [
      ['4000', 'api'],
      ['60000', 'git'],
      ['none', 'api'],
    ] as const) {
      const headers = { 'X-RateLimit-Limit': limit, 'X-RateLimit-Resource': resource };
      bitbucket.scripted.push(() => ({ headers, body: repositoryValue('ws/repo') }));
      await client.getRepository(repo, context());
    }
    expect(calls.map(({ callsPerHour }) => callsPerHour)).toEqual([4000, undefined, undefined]);
  });

  it('is renewed once on a 401, for a write too, and the call is sent again', async () => {
    bitbucket.validTokens.clear();
    bitbucket.validTokens.add('token-2');
    bitbucket.writes.set('POST repositories|ws|repo|hooks', () => ({
      status: 201,
      body: { uuid: '{1}' },
    }));
    const tokens = tokenSource();
    const created = await fastClient(bitbucket.apiUrl, { tokens }).createHook(
      repo,
      hook,
      context(),
    );
    expect(created.uuid).toBe('{1}');
    expect(tokens.rejected).toEqual(['token-1']);
    expect(bitbucket.requests.map((r) => r.headers.authorization)).toEqual([
      'Bearer token-1',
      'Bearer token-2',
    ]);
  });

  it('is not renewed a second time', async () => {
    bitbucket.validTokens.clear();
    const tokens = tokenSource();
    const error = await failure(
      fastClient(bitbucket.apiUrl, { tokens }).getRepository(repo, context()),
    );
    expect(error).toMatchObject({ kind: 'answer', status: 401 });
    expect(error.bitbucketMessage).toContain('Access token expired');
    expect(tokens.rejected).toEqual(['token-1']);
    expect(bitbucket.requests).toHaveLength(2);
  });

  it('is never in an error, even when Bitbucket repeats it', async () => {
    bitbucket.scripted.push(() => refuse(403, 'No access for token-1 here'));
    const error = await failure(fastClient(bitbucket.apiUrl).getRepository(repo, context()));
    expect(error.bitbucketMessage).toBe('No access for [hidden] here');
    expect(JSON.stringify(error) + String(error.stack) + String(error.cause)).not.toContain(
      'token-1',
    );
  });
});

describe('retries of reads', () => {
  it.each([500, 502, 503, 555])('tries again after a %i that is HTML', async (status) => {
    bitbucket.scripted.push(() => ({
      status,
      headers: { 'Content-Type': 'text/html' },
      body: '<html><h1>Oops</h1></html>',
    }));
    const calls: BitbucketCall[] = [];
    const client = fastClient(bitbucket.apiUrl, { onCall: (call) => calls.push(call) });
    await expect(client.getRepository(repo, context())).resolves.toMatchObject({ slug: 'repo' });
    expect(calls.map((call) => call.status)).toEqual([status, 200]);
    expect(calls.map((call) => call.isRetry)).toEqual([false, true]);
    expect(calls[0]).toMatchObject({
      route: '/repositories/{workspace}/{repo_slug}',
      method: 'GET',
    });
  });

  it('tries four times, then throws the last refusal', async () => {
    for (let i = 0; i < 9; i += 1) bitbucket.scripted.push(() => ({ status: 500, body: 'down' }));
    const error = await failure(fastClient(bitbucket.apiUrl).getRepository(repo, context()));
    expect(error).toMatchObject({ kind: 'answer', status: 500, bitbucketMessage: 'down' });
    expect(bitbucket.requests).toHaveLength(4);
  });

  it('tells the observer the route and never a value, why there was no answer, and how long to wait', async () => {
    bitbucket.lists.set('repositories|ws|repo|refs|branches', {
      values: Array.from({ length: 101 }, (_, i) => branchValue(`b${i}`)),
    });
    bitbucket.scripted.push(
      () => ({ status: 429, headers: { 'Retry-After': '7' }, body: 'limit' }),
      () => 'handled',
    );
    const calls: BitbucketCall[] = [];
    const client = fastClient(bitbucket.apiUrl, {
      onCall: (call) => calls.push(call),
      attemptTimeoutMs: 2_000,
    });
    await failure(client.getRepository(repo, { ...context(), deadline: Date.now() }));
    const caller = new AbortController();
    const abandoned = failure(client.getRepository(repo, { signal: caller.signal }));
    await waitFor(() => bitbucket.requests.length === 2);
    caller.abort(new DOMException('it is late', 'TimeoutError'));
    await abandoned;
    bitbucket.scripted.push(() => 'handled');
    await client.listBranches(repo, context());
    const route = '/repositories/{workspace}/{repo_slug}';
    const branches = `${route}/refs/branches`;
    expect(calls.map(({ durationMs, ...call }) => ({ ...call, timed: durationMs > 0 }))).toEqual([
      { route, method: 'GET', status: 429, retryAfterSeconds: 7, isRetry: false, timed: true },
      { route, method: 'GET', failure: 'abandoned', isRetry: false, timed: true },
      { route: branches, method: 'GET', failure: 'timeout', isRetry: false, timed: true },
      { route: branches, method: 'GET', status: 200, isRetry: true, timed: true },
      { route: branches, method: 'GET', status: 200, isRetry: false, timed: true },
    ]);
  });

  it('does not repeat a 4xx', async () => {
    const error = await failure(
      fastClient(bitbucket.apiUrl).getRepository({ workspace: 'ws', slug: 'nope' }, context()),
    );
    expect(error).toMatchObject({ status: 404, bitbucketMessage: 'Resource not found' });
    expect(bitbucket.requests).toHaveLength(1);
  });

  it('tries again after a dropped connection, before and inside the answer', async () => {
    bitbucket.scripted.push(
      (_, { req }) => {
        req.socket.destroy();
        return 'handled';
      },
      (_, { req, res }) => {
        res.writeHead(200, { 'Content-Length': '5000' });
        res.write('{"full_name":', () => req.socket.destroy());
        return 'handled';
      },
    );
    const got = await fastClient(bitbucket.apiUrl).getRepository(repo, context());
    expect(got.fullName).toBe('ws/repo');
    expect(bitbucket.requests).toHaveLength(3);
  });

  it('gives up an attempt that takes too long, headers or body, and tries again', async () => {
    bitbucket.scripted.push(
      () => 'handled',
      (_, { res }) => {
        res.writeHead(200);
        res.write('{');
        return 'handled';
      },
    );
    const client = fastClient(bitbucket.apiUrl, { attemptTimeoutMs: 1_000 });
    await expect(client.getRepository(repo, context())).resolves.toBeDefined();
    expect(bitbucket.requests).toHaveLength(3);
  });

  it('ends with the caller, as a timeout', async () => {
    bitbucket.scripted.push(() => 'handled');
    const caller = new AbortController();
    const call = failure(
      fastClient(bitbucket.apiUrl).getRepository(repo, { signal: caller.signal }),
    );
    await waitFor(() => bitbucket.requests.length === 1);
    caller.abort(new DOMException('it is late', 'TimeoutError'));
    expect(await call).toMatchObject({ kind: 'timeout', status: undefined });
    expect(bitbucket.requests).toHaveLength(1);
  });

  it('asks for nothing when the caller is gone already', async () => {
    const ctx = { signal: AbortSignal.abort() };
    const error = await failure(fastClient(bitbucket.apiUrl).getRepository(repo, ctx));
    expect(error.kind).toBe('timeout');
    expect(bitbucket.requests).toHaveLength(0);
  });

  it('names what cannot be reached', async () => {
    const port = await unusedPort();
    const calls: BitbucketCall[] = [];
    const client = fastClient(`http://127.0.0.1:${port}/2.0`, { onCall: (c) => calls.push(c) });
    const error = await failure(client.getRepository(repo, context()));
    expect(error).toMatchObject({ kind: 'unreachable', status: undefined, notSent: true });
    expect(error.bitbucketMessage).toContain('ECONNREFUSED');
    expect(calls).toHaveLength(4);
    expect(calls[0]).toMatchObject({ status: undefined, failure: 'unreachable' });
  });
});

describe('retries of writes', () => {
  const posted = () => bitbucket.requests.filter((r) => r.method === 'POST');

  it.each([
    ['a 500', () => ({ status: 500 })],
    ['a dropped connection', 'drop'],
  ] as const)('does not create a hook twice after %s', async (_, how) => {
    bitbucket.scripted.push((_request, { req }) => {
      if (how !== 'drop') return how();
      req.socket.destroy();
      return 'handled';
    });
    await failure(fastClient(bitbucket.apiUrl).createHook(repo, hook, context()));
    expect(posted()).toHaveLength(1);
  });

  it('repeats after a 429, which did nothing', async () => {
    bitbucket.writes.set('POST repositories|ws|repo|hooks', () => ({
      status: 201,
      body: { uuid: '{1}' },
    }));
    bitbucket.scripted.push(() => rateLimited);
    await fastClient(bitbucket.apiUrl).createHook(repo, hook, context());
    expect(posted()).toHaveLength(2);
  });

  it('keeps the secret of a webhook out of errors, though Bitbucket repeats it', async () => {
    const logged: unknown[] = [];
    const log = (...line: unknown[]) => void logged.push(line);
    const logger = { debug: log, info: log, warn: log, error: log };
    const refusal = (status: number) => () => ({
      status,
      body: { type: 'error', error: { message: `not ${hook.secret}`, fields: { a: [hook] } } },
    });
    bitbucket.scripted.push(refusal(503), refusal(400));
    const error = await failure(
      fastClient(bitbucket.apiUrl, { logger }).updateHook(repo, '{1}', hook, context()),
    );
    expect(error.bitbucketMessage).toContain('not [hidden]');
    expect(logged).toHaveLength(1);
    expect(inspect([error, logged], { depth: 9, showHidden: true })).not.toContain(hook.secret);
  });

  it('repeats a build status, whose key makes the second overwrite the first', async () => {
    bitbucket.writes.set('POST repositories|ws|repo|commit|abc|statuses|build', () => ({
      status: 201,
      body: {},
    }));
    bitbucket.scripted.push(() => ({ status: 503 }));
    const status = { key: 'k', state: 'FAILED', url: 'https://u', name: 'n', description: 'd' };
    const result = await fastClient(bitbucket.apiUrl).postStatus(
      repo,
      'abc',
      { ...status, state: 'FAILED' },
      context(),
    );
    expect(result).toEqual({ created: true });
    expect(posted()).toHaveLength(2);
  });
});

describe('429', () => {
  it('waits the seconds of Retry-After', async () => {
    bitbucket.scripted.push(() => ({ ...rateLimited, headers: { 'Retry-After': '1' } }));
    const startedAt = Date.now();
    await fastClient(bitbucket.apiUrl).getRepository(repo, context());
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(990);
  });

  it('waits as often as Bitbucket says, within the deadline', async () => {
    const wait = () => ({ ...rateLimited, headers: { 'Retry-After': '1' } });
    for (let i = 0; i < 4; i += 1) bitbucket.scripted.push(wait);
    const client = fastClient(bitbucket.apiUrl);
    await expect(client.getRepository(repo, context())).resolves.toMatchObject({ slug: 'repo' });
    expect(bitbucket.requests).toHaveLength(5);

    bitbucket.scripted.push(wait, wait);
    bitbucket.scripted.push(() => ({ ...rateLimited, headers: { 'Retry-After': '3600' } }));
    const ctx = { ...context(), deadline: Date.now() + 600_000 };
    const error = await failure(client.getRepository(repo, ctx));
    expect(error).toMatchObject({ status: 429, retryAfterSeconds: 3600 });
    expect(bitbucket.requests).toHaveLength(8);
  });

  it('with a Retry-After of 0 is not hammered', async () => {
    const wait = () => ({ ...rateLimited, headers: { 'Retry-After': '0' } });
    for (let i = 0; i < 9; i += 1) bitbucket.scripted.push(wait);
    const startedAt = Date.now();
    const client = fastClient(bitbucket.apiUrl, { firstPauseMs: 50 });
    expect(await failure(client.getRepository(repo, context()))).toMatchObject({ status: 429 });
    expect(bitbucket.requests).toHaveLength(4);
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(170);
  });

  it('waits until the date of Retry-After', async () => {
    const date = new Date(Math.ceil(Date.now() / 1000) * 1000 + 1000);
    bitbucket.scripted.push(() => ({
      ...rateLimited,
      headers: { 'Retry-After': date.toUTCString() },
    }));
    await fastClient(bitbucket.apiUrl).getRepository(repo, context());
    expect(Date.now()).toBeGreaterThanOrEqual(date.getTime() - 10);
  });

  it('is thrown at once when the deadline comes before the end of the wait', async () => {
    bitbucket.scripted.push(() => ({ ...rateLimited, headers: { 'Retry-After': '3600' } }));
    const ctx = { ...context(), deadline: Date.now() + 600_000 };
    const error = await failure(fastClient(bitbucket.apiUrl).getRepository(repo, ctx));
    expect(error).toMatchObject({ kind: 'answer', status: 429, retryAfterSeconds: 3600 });
    expect(error.bitbucketMessage).toBe('Rate limit for this resource has been exceeded');
  });

  it('is thrown, not a timeout, when the signal ends the wait', async () => {
    bitbucket.scripted.push(() => ({ ...rateLimited, headers: { 'Retry-After': '30' } }));
    const caller = new AbortController();
    const isOver = new DOMException('it is late', 'TimeoutError');
    const client = fastClient(bitbucket.apiUrl, {
      onCall: () => setImmediate(() => caller.abort(isOver)),
    });
    const error = await failure(client.getRepository(repo, { signal: caller.signal }));
    expect(error).toMatchObject({ status: 429, retryAfterSeconds: 30 });
  });

  it('is not waited for an hour, even without a deadline', async () => {
    bitbucket.scripted.push(() => ({ ...rateLimited, headers: { 'Retry-After': '3600' } }));
    const error = await failure(fastClient(bitbucket.apiUrl).getRepository(repo, context()));
    expect(error).toMatchObject({ status: 429, retryAfterSeconds: 3600 });
  });

  it('without Retry-After is tried again a few times, ever later', async () => {
    for (let i = 0; i < 9; i += 1) bitbucket.scripted.push(() => rateLimited);
    const startedAt = Date.now();
    const client = fastClient(bitbucket.apiUrl, { firstPauseMs: 50 });
    const error = await failure(client.getRepository(repo, context()));
    expect(error).toMatchObject({ status: 429, retryAfterSeconds: undefined });
    expect(bitbucket.requests).toHaveLength(4);
    // 50, 100 and 200 ms, each at least half of it.
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(170);
  });
});

describe('answers', () => {
  it('that are not JSON are refused', async () => {
    bitbucket.scripted.push(() => ({ body: '<html>maintenance</html>' }));
    const error = await failure(fastClient(bitbucket.apiUrl).getRepository(repo, context()));
    expect(error).toMatchObject({ kind: 'invalid-answer', status: 200 });
  });

  it('without what is needed are refused, naming the field', async () => {
    bitbucket.scripted.push(() => ({ body: { name: 'repo' } }));
    const error = await failure(fastClient(bitbucket.apiUrl).getRepository(repo, context()));
    expect(error.kind).toBe('invalid-answer');
    expect(error.message).toContain('full_name');
  });

  it('without end are dropped: a success is refused, an error cut', async () => {
    const mebibyte = Buffer.alloc(1024 * 1024, 'x.');
    bitbucket.scripted.push(
      () => ({ body: Buffer.concat(Array<Buffer>(17).fill(mebibyte)) }),
      () => ({ status: 403, body: mebibyte }),
    );
    const client = fastClient(bitbucket.apiUrl);
    expect((await failure(client.getRepository(repo, context()))).kind).toBe('invalid-answer');
    const refused = await failure(client.getRepository(repo, context()));
    expect(refused.status).toBe(403);
    expect(refused.bitbucketMessage).toHaveLength(1_001);
  });

  it('that are compressed are read, and bounded by what comes out', async () => {
    const zipped = (body: Buffer) => ({ headers: { 'Content-Encoding': 'gzip' }, body });
    const client = fastClient(bitbucket.apiUrl);
    bitbucket.scripted.push(
      () => zipped(gzipSync(JSON.stringify(repositoryValue('ws/zipped')))),
      () => zipped(gzipSync(Buffer.alloc(20 * 1024 * 1024))),
    );
    expect((await client.getRepository(repo, context())).slug).toBe('zipped');
    expect((await failure(client.getRepository(repo, context()))).kind).toBe('invalid-answer');
  });

  it('that redirect are followed below apiUrl only', async () => {
    const stranger = await startFakeServer(() => ({ body: repositoryValue('evil/repo') }));
    const client = fastClient(bitbucket.apiUrl);
    bitbucket.objects.set('repositories|ws|renamed', repositoryValue('ws/renamed'));
    bitbucket.scripted.push(
      () => ({ status: 302, headers: { Location: '/2.0/repositories/ws/renamed' } }),
      () => undefined,
      () => ({ status: 302, headers: { Location: `${stranger.origin}/2.0/x` } }),
    );
    expect((await client.getRepository(repo, context())).slug).toBe('renamed');
    expect((await failure(client.getRepository(repo, context()))).kind).toBe('invalid-answer');
    expect(stranger.requests).toHaveLength(0);
    await stranger.close();
  });
});

describe('pages', () => {
  const branches = 'repositories|ws|repo|refs|branches';

  it('are all read, following next as given', async () => {
    const names = Array.from({ length: 230 }, (_, i) => `b${i}`);
    bitbucket.lists.set(branches, { values: names.map(branchValue) });
    const got = await fastClient(bitbucket.apiUrl).listBranches(repo, context());
    expect(got.map((branch) => branch.name)).toEqual(names);
    expect(got[229]).toEqual({
      name: 'b229',
      hash: hashOf('b229'),
      parents: [hashOf('b229^')],
    });
    expect(bitbucket.requests).toHaveLength(3);
    expect(bitbucket.requests[0]?.query.get('sort')).toBe('name');
  });

  it.each([
    ['page', (next: URL) => ({ body: { values: [branchValue('a')], next: next.href } })],
    ['place', (next: URL) => ({ status: 302, headers: { Location: next.href } })],
    [
      'place below the root',
      (next: URL) => ({ status: 302, headers: { Location: next.pathname } }),
    ],
  ])(
    'are read through apiUrl where Bitbucket names its own address as the next %s',
    async (_, to) => {
      bitbucket.lists.set(branches, { values: [branchValue('b')] });
      const next = new URL('https://api.bitbucket.org/2.0/repositories/ws/repo/refs/branches');
      next.search = `?pagelen=10&page=${Buffer.from('from 0').toString('base64url')}`;
      bitbucket.scripted.push(() => to(next));
      const behind = await startFakeServer(async ({ rawPath, query, ...request }) => {
        const url = `${bitbucket.apiUrl}${rawPath.slice('/to/bb'.length)}?${query.toString()}`;
        const { authorization = '' } = request.headers;
        const answer = await fetch(url, { headers: { authorization }, redirect: 'manual' });
        const location = answer.headers.get('location');
        const headers: Record<string, string> = location === null ? {} : { Location: location };
        return { status: answer.status, headers, body: await answer.text() };
      });
      const client = fastClient(`${behind.origin}/to/bb`);
      const names = (await client.listBranches(repo, context())).map(({ name }) => name);
      expect(names.at(-1)).toBe('b');
      expect(behind.requests.map(({ rawPath }) => rawPath)).toEqual([
        '/to/bb/repositories/ws/repo/refs/branches',
        '/to/bb/repositories/ws/repo/refs/branches',
      ]);
      await behind.close();
    },
  );

  it('of another origin, path or user are not read, and never see the token', async () => {
    const stranger = await startFakeServer(() => ({ body: { values: [] } }));
    const host = new URL(bitbucket.origin).host;
    const forged = [
      `${stranger.origin}/2.0/repositories/ws/repo/refs/branches?page=2`,
      `${bitbucket.origin}/1.0/repositories?page=2`,
      `${bitbucket.apiUrl}/../internal`,
      `${bitbucket.apiUrl}evil/x`,
      `http://user:pass@${host}/2.0/repositories`,
      `https://${host}/2.0/repositories`,
      'http://',
    ];
    for (const next of forged) {
      bitbucket.scripted.push(() => ({ body: { values: [], next } }));
      const error = await failure(fastClient(bitbucket.apiUrl).listBranches(repo, context()));
      expect(error.kind).toBe('invalid-answer');
      expect(error.message).toContain('not followed');
    }
    expect(bitbucket.requests).toHaveLength(forged.length);
    expect(stranger.requests).toHaveLength(0);
    await stranger.close();
  });

  it('in a circle are refused', async () => {
    const next = `${bitbucket.apiUrl}/repositories/ws/repo/refs/branches?page=a`;
    for (let i = 0; i < 5; i += 1) {
      bitbucket.scripted.push(() => ({ body: { values: [branchValue('b')], next } }));
    }
    const error = await failure(fastClient(bitbucket.apiUrl).listBranches(repo, context()));
    expect(error.bitbucketMessage).toContain('circle');
    expect(bitbucket.requests).toHaveLength(2);
  });

  it('without end are refused after 1,000', async () => {
    let page = 0;
    const endless = () => {
      page += 1;
      bitbucket.scripted.push(endless);
      const next = `${bitbucket.apiUrl}/repositories/ws/repo/refs/branches?page=${page}`;
      return { body: { values: [], next } };
    };
    bitbucket.scripted.push(endless);
    const error = await failure(fastClient(bitbucket.apiUrl).listBranches(repo, context()));
    expect(error.bitbucketMessage).toContain('1000 pages');
    expect(page).toBe(1_000);
  });
});

async function unusedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
