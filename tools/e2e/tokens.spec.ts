import { takesTime, waitFor } from '@cds/testing';
import { callVcs, PROJECT, REPO, startStack, type Replica, type Stack } from './stack.fixture';

/** Of an access token, in seconds; Bitbucket gives it an hour or two. */
const LIFETIME = 3_600;

let stack: Stack;
let vcs: Replica;
let firstRefreshToken: string;
/** How often tokens were issued and refused before a test. */
let before: Stack['bitbucket']['oauth']['counts'];
beforeAll(async () => {
  stack = await startStack({ api: { cds: '0.41' } });
  vcs = await stack.start('vcs');
  await stack.registered(1);
});
/** Each has a grant of its own. */
beforeEach(async () => {
  stack.bitbucket.setAccessTokenLifetime(LIFETIME);
  await stack.api.linkProject(PROJECT);
  firstRefreshToken = stack.api.vcsLink(PROJECT).refreshToken;
  before = { ...stack.bitbucket.oauth.counts };
});
afterAll(() => stack?.stop());

const branches = () => callVcs(stack, 'GET', `/repos/${REPO}/branches`);
const refreshes = () => stack.bitbucket.oauth.counts.refresh_token - before.refresh_token;

describe('a grant', () => {
  it('lives on while access tokens expire, though the API keeps the first refresh token', async () => {
    stack.bitbucket.setAccessTokenLifetime(1);
    stack.bitbucket.expireAccessTokens();
    for (let call = 0; call < 4; call += 1) {
      await branches();
      await takesTime(600);
    }
    expect(refreshes()).toBeGreaterThanOrEqual(2);
    expect(stack.bitbucket.oauth.counts.refused).toBe(before.refused);
    expect(stack.api.vcsLink(PROJECT).refreshToken).toBe(firstRefreshToken);
  });

  it('is refreshed once for many callers and two replicas, and the API learns the new token', async () => {
    const second = await stack.start('vcs', { replica: 2 });
    await stack.registered(2);
    const { accessToken: first } = stack.api.vcsLink(PROJECT);
    stack.bitbucket.expireAccessTokens();

    const { hash } = stack.api.services().find(({ url }) => url === second.url) ?? { hash: '' };
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    const directly = () =>
      fetch(`${second.url}/vcs/bitbucketcloud/repos/${REPO}/branches`, {
        headers: {
          X_AUTH_HEADER: base64(hash),
          'X-CDS-ACCESS-TOKEN': base64(first),
          'X-CDS-ACCESS-TOKEN-SECRET': base64(firstRefreshToken),
          'X-CDS-ACCESS-TOKEN-CREATED': base64(String(Math.floor(Date.now() / 1_000))),
        },
      });
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => (index % 2 ? directly() : branches())),
    );

    for (const answer of answers) if (answer instanceof Response) expect(answer.status).toBe(200);
    expect(refreshes()).toBe(1);
    const { accessToken, refreshToken } = stack.api.vcsLink(PROJECT);
    expect(accessToken).not.toBe(first);
    expect(refreshToken).toBe(firstRefreshToken);
    await second.stop();
  });

  it('survives a restart of vcs after its refresh token has rotated', async () => {
    stack.bitbucket.expireAccessTokens();
    await branches();
    expect(await vcs.stop()).toBe(0);
    stack.bitbucket.expireAccessTokens();
    vcs = await stack.start('vcs');
    expect(await waitFor(branches, { what: 'the branches' })).toEqual(
      expect.arrayContaining([expect.objectContaining({ id: 'main' })]),
    );
    expect(refreshes()).toBe(2);
  });

  it('that the user took back is a 401 that says to link again, and linking again helps', async () => {
    stack.bitbucket.revokeGrants();
    await expect(branches()).rejects.toThrow(/answered 401 .*"id":44.*link the project again/);

    await stack.api.linkProject(PROJECT);
    expect(await branches()).toEqual(expect.any(Array));
  });

  it('is kept encrypted', async () => {
    const { accessToken } = stack.api.vcsLink(PROJECT);
    const { execFileSync } = await import('node:child_process');
    const cli = (...args: string[]): string =>
      execFileSync('redis-cli', ['-p', String(stack.redis.port), ...args], { encoding: 'utf8' });
    const keys = cli('--scan', '--pattern', 'cdsbb:vcs:*').trim().split('\n').filter(Boolean);
    expect(keys.length).toBeGreaterThan(0);
    const stored = keys
      .map((key) => cli(...(cli('TYPE', key).trim() === 'hash' ? ['HGETALL', key] : ['GET', key])))
      .join('\n');
    for (const secret of [accessToken, firstRefreshToken])
      expect(`${keys.join('\n')}${stored}`).not.toContain(secret.slice(0, 100));
  });
});

// The last: `vcs` asks for nothing as long as Bitbucket has told it to wait.
describe('Bitbucket away', () => {
  it('is waited out where there is time, and reported where there is none', async () => {
    stack.bitbucket.faults.order({ fault: { kind: 'answer', status: 503 }, count: 1 });
    await expect(branches()).resolves.toEqual(expect.any(Array));
    stack.bitbucket.faults.order({ fault: { kind: 'drop' }, count: 1 });
    await expect(branches()).resolves.toEqual(expect.any(Array));

    stack.bitbucket.setRateLimit({
      requestsPerHour: 0,
      retryAfter: { form: 'seconds', seconds: 3_000 },
    });
    await expect(branches()).rejects.toThrow('answered 429');
  });
});
