import { createOAuthClient, DeadGrantError } from '..';
import { context } from '../../test/client.fixture';
import { type FakeReply, type FakeServer, startFakeServer } from '../../test/fake-server.fixture';

const SECRET = 's3cret/+ä';
let server: FakeServer;
let reply: FakeReply;

beforeEach(async () => {
  reply = {
    body: {
      access_token: 'access-2',
      refresh_token: 'refresh-2',
      expires_in: 7200,
      token_type: 'bearer',
      scope: 'repository webhook',
      state: 'authorization_code',
    },
  };
  server = await startFakeServer((request) => {
    const basic = Buffer.from(`client-1:${SECRET}`).toString('base64');
    if (request.method !== 'POST' || request.rawPath !== '/site/oauth2/access_token') {
      return { status: 404 };
    }
    if (request.headers.authorization !== `Basic ${basic}`) return { status: 401 };
    if (request.headers['content-type'] !== 'application/x-www-form-urlencoded') {
      return { status: 400, body: { error: 'invalid_grant' } };
    }
    return reply;
  });
});
afterEach(() => server.close());

const client = (timeoutMs = 60_000) =>
  createOAuthClient({
    oauthUrl: `${server.origin}/site/oauth2`,
    clientId: 'client-1',
    clientSecret: SECRET,
    firstPauseMs: 5,
    timeoutMs,
  });

async function failure(call: Promise<unknown>) {
  return call.then(
    () => Promise.reject(new Error('did not fail')),
    (error: unknown) => error as DeadGrantError,
  );
}

it('writes the authorize URL', () => {
  const oauth = createOAuthClient({
    oauthUrl: 'https://bitbucket.org/site/oauth2/',
    clientId: 'a b',
    clientSecret: SECRET,
  });
  expect(oauth.authorizeUrl('x&y')).toBe(
    'https://bitbucket.org/site/oauth2/authorize?client_id=a+b&response_type=code&state=x%26y',
  );
});

it('exchanges a code', async () => {
  const tokens = await client().exchangeCode('the code&more', context());
  expect(tokens).toEqual({
    accessToken: 'access-2',
    refreshToken: 'refresh-2',
    expiresInSeconds: 7200,
    scopes: ['repository', 'webhook'],
  });
  expect(Object.fromEntries(new URLSearchParams(server.requests[0]?.body))).toEqual({
    grant_type: 'authorization_code',
    code: 'the code&more',
  });
});

it.each([
  ['scopes as before May 2026', { scopes: 'account  email' }, 3600, ['account', 'email']],
  ['a lifetime as text', { expires_in: '60', scopes: ['a'] }, 60, ['a']],
  ['neither', {}, 3600, []],
  ['nonsense', { expires_in: -1, scope: 7 }, 3600, []],
])('refreshes, reading %s', async (_, more, expiresInSeconds, scopes) => {
  reply = { body: { access_token: 'a', refresh_token: 'r', ...more } };
  const tokens = await client().refresh('refresh-1', context());
  expect(tokens).toEqual({ accessToken: 'a', refreshToken: 'r', expiresInSeconds, scopes });
  expect(server.requests[0]?.body).toBe('grant_type=refresh_token&refresh_token=refresh-1');
});

it('keeps the refresh token when a refresh brings none, but refuses a code without one', async () => {
  reply = { body: { access_token: 'a' } };
  expect((await client().refresh('refresh-1', context())).refreshToken).toBe('refresh-1');
  const error = await failure(client().exchangeCode('c', context()));
  expect(error).toMatchObject({ kind: 'invalid-answer' });
  expect(error.message).toContain('refresh_token');
});

describe('a dead grant', () => {
  it.each([
    [400, { error: 'invalid_grant', error_description: 'The code has expired' }],
    [400, { error: 'unauthorized_client', error_description: 'Invalid OAuth client credentials' }],
    [400, { error: 'unauthorized_client' }],
    [400, { error: 'unauthorized_client', error_description: 'Not allowed' }],
    [401, { error: 'unauthorized_client', error_description: 'whatever' }],
    [401, 'Unauthorized'],
  ])('is %i %j', async (status, body) => {
    reply = { status, body };
    const error = await failure(client().refresh('refresh-1', context()));
    expect(error).toBeInstanceOf(DeadGrantError);
    expect(error.name).toBe('DeadGrantError');
    expect(error.status).toBe(status);
    expect(server.requests).toHaveLength(1);
  });

  it.each([
    [
      400,
      { error: 'invalid_client', error_description: 'Unknown client' },
      /Unknown client.*check the client id and the client secret/,
    ],
    [401, { error: 'invalid_client' }, /check the client id/],
    [400, { error: 'invalid_request' }, /invalid_request/],
    [403, 'Forbidden', /Forbidden/],
    [500, '<title>Oh no</title>', /Oh no/],
    [503, '', /refused without a message/],
    [302, '', /refused without a message/],
  ])('is not %i %j', async (status, body, message) => {
    reply = { status, body };
    const error = await failure(client().refresh('refresh-1', context()));
    expect(error).not.toBeInstanceOf(DeadGrantError);
    expect(error).toMatchObject({ name: 'BitbucketError', kind: 'answer', status });
    expect(error.message).toMatch(message);
    expect(server.requests).toHaveLength(1);
  });
});

it('repeats after a 429 only: a code or token may be used up otherwise', async () => {
  server.scripted.push(() => ({ status: 429, body: 'Rate limit' }));
  await client().refresh('refresh-1', context());
  expect(server.requests).toHaveLength(2);

  server.scripted.push((_, { req }) => {
    req.socket.destroy();
    return 'handled';
  });
  const dropped = await failure(client().refresh('refresh-1', context()));
  expect(dropped).toMatchObject({ kind: 'unreachable', notSent: false });
  expect(server.requests).toHaveLength(3);

  server.scripted.push(() => 'handled');
  const slow = await failure(client(500).refresh('refresh-1', context()));
  expect(slow.kind).toBe('timeout');
  expect(server.requests).toHaveLength(4);
});

it('tries again when nothing can have been sent, and says what it could not reach', async () => {
  const { origin } = server;
  await server.close();
  const oauth = createOAuthClient({
    oauthUrl: origin,
    clientId: 'c',
    clientSecret: SECRET,
    firstPauseMs: 5,
  });
  const error = await failure(oauth.refresh('refresh-1', context()));
  expect(error).toMatchObject({ kind: 'unreachable', notSent: true });
  expect(error).not.toBeInstanceOf(DeadGrantError);
  server = await startFakeServer(() => ({}));
});

it('keeps the tokens and the client secret out of errors', async () => {
  reply = {
    status: 400,
    body: { error: 'invalid_grant', error_description: `refresh-1 of ${SECRET} is used` },
  };
  const error = await failure(client().refresh('refresh-1', context()));
  expect(error.bitbucketMessage).toBe('[hidden] of [hidden] is used (invalid_grant)');
});
