import { sendRequest } from '../http/send-request';
import { startBitbucket, type BitbucketStandIn } from './index';

let bitbucket: BitbucketStandIn;
beforeEach(async () => {
  bitbucket = await startBitbucket({ rateLimit: { requestsPerHour: 3 } });
});
afterEach(() => bitbucket.close());

async function ask(path: string, authorization: string, method = 'GET') {
  const answer = await sendRequest({
    method,
    url: `${bitbucket.apiUrl}${path}`,
    headers: { Authorization: authorization },
    timeoutMs: 5_000,
  });
  const isJson = answer.status !== 429 && answer.text !== '';
  return { ...answer, json: isJson ? JSON.parse(answer.text) : {} };
}

const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
const bearer = (token: string) => `Bearer ${token}`;

describe('an API token', () => {
  it('is sent as Basic with the e-mail address, and in no other way', async () => {
    const token = bitbucket.issueApiToken();
    const { email, username } = bitbucket.account;
    expect((await ask('/user/workspaces', basic(email, token))).status).toBe(200);
    for (const refused of [basic(username, token), basic('x-token-auth', token), bearer(token)]) {
      const { status, headers, json } = await ask('/user/workspaces', refused);
      expect(status).toBe(401);
      expect(headers['www-authenticate']).toContain('Basic');
      expect(json.error.message).toContain('Token is invalid, expired');
    }
  });

  it('is not an app password: those are gone', async () => {
    const { username, email } = bitbucket.account;
    expect((await ask('/user', basic(username, 'ATBBappPassword'))).status).toBe(401);
    expect((await ask('/user', basic(email, 'ATBBappPassword'))).status).toBe(401);
  });

  it('has scopes of its own names, of which none implies another', async () => {
    const scopes = ['write:repository:bitbucket', 'write:webhook:bitbucket'];
    const token = bitbucket.issueApiToken({ scopes });
    const { status, json } = await ask(
      '/repositories/acme/web-shop',
      basic(bitbucket.account.email, token),
    );
    expect(status).toBe(403);
    expect(json.error.detail).toEqual({
      required: ['read:repository:bitbucket'],
      granted: scopes,
    });
    const hooks = '/repositories/acme/web-shop/hooks/%7Bx%7D';
    const deleting = await ask(hooks, basic(bitbucket.account.email, token), 'DELETE');
    expect(deleting.json.error.detail.required).toEqual(['delete:webhook:bitbucket']);
  });

  it('is counted with the others of its account, and not told its limit', async () => {
    const [one, two] = [bitbucket.issueApiToken(), bitbucket.issueApiToken()];
    const { email } = bitbucket.account;
    for (const token of [one, two, one]) {
      const { status, headers } = await ask('/repositories/acme', basic(email, token));
      expect([status, headers['x-ratelimit-limit']]).toEqual([200, undefined]);
    }
    expect((await ask('/repositories/acme', basic(email, two))).status).toBe(429);
  });

  it('works no more when it is revoked', async () => {
    const token = bitbucket.issueApiToken();
    bitbucket.revokeToken(token);
    expect((await ask('/user', basic(bitbucket.account.email, token))).status).toBe(401);
  });
});

describe('an access token', () => {
  it('is of no user: nothing about one can be asked', async () => {
    const token = bitbucket.issueAccessToken({ workspace: 'acme' });
    expect((await ask('/user', bearer(token))).status).toBe(401);
    expect((await ask('/user/workspaces', bearer(token))).status).toBe(401);
    expect((await ask('/repositories/acme', basic('x-token-auth', token))).status).toBe(401);
  });

  it('of a workspace sees that alone, as a member of nothing, and is told its limit', async () => {
    const token = bitbucket.issueAccessToken({ workspace: 'acme' });
    const listed = await ask('/repositories/acme', bearer(token));
    expect(listed.json.values).toHaveLength(2);
    expect(listed.headers['x-ratelimit-limit']).toBe('3');
    expect((await ask('/repositories/acme?role=member', bearer(token))).json.values).toEqual([]);
    expect((await ask('/repositories/jane-doe/web-shop', bearer(token))).status).toBe(404);
  });

  it('of a repository sees that alone, and lists none', async () => {
    const token = bitbucket.issueAccessToken({ workspace: 'acme', repository: 'web-shop' });
    expect((await ask('/repositories/acme/web-shop', bearer(token))).status).toBe(200);
    expect((await ask('/repositories/acme/payments', bearer(token))).status).toBe(404);
    expect((await ask('/repositories/acme', bearer(token))).status).toBe(403);
  });
});
