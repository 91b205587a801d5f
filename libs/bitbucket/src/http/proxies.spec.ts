import { readProxySettings } from '@cds/network';
import { startTestProxy, type TestProxy } from '@cds/testing';
import { context, fastClient } from '../../test/client.fixture';
import { type FakeBitbucket, startFakeBitbucket } from '../../test/fake-bitbucket.fixture';
import { repositoryValue } from '../../test/values.fixture';
import { BitbucketError, createOAuthClient } from '..';

const repo = { workspace: 'ws', slug: 'repo' };
const hook = { url: 'https://h.example', description: 'd', events: [], active: true, secret: 's' };
const PASSWORD = 'the-password-of-the-proxy';

let bitbucket: FakeBitbucket;
let proxy: TestProxy;
beforeEach(async () => {
  bitbucket = await startFakeBitbucket();
  const port = Number(new URL(bitbucket.origin).port);
  proxy = await startTestProxy({
    credentials: `me:${PASSWORD}`,
    hosts: { 'bitbucket.example:80': port },
  });
});
afterEach(async () => {
  await proxy.close();
  await bitbucket.close();
});

function proxies(credentials = `me:${PASSWORD}`) {
  const server = `http://${credentials}@127.0.0.1:${proxy.port}`;
  return readProxySettings({ HTTP_PROXY: server, HTTPS_PROXY: server });
}

async function failure(call: Promise<unknown>): Promise<BitbucketError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof BitbucketError)) throw new Error(`no BitbucketError: ${String(error)}`);
  return error;
}

describe('a proxy of the environment', () => {
  it('is given the calls of what only it can reach', async () => {
    bitbucket.objects.set('repositories|ws|repo', repositoryValue('ws/repo'));
    const client = fastClient('http://bitbucket.example/2.0', { proxies: proxies() });
    expect(await client.getRepository(repo, context())).toMatchObject({ slug: 'repo' });
    expect(bitbucket.requests[0]?.headers).toMatchObject({ host: 'bitbucket.example' });
    expect(bitbucket.requests[0]?.headers).not.toHaveProperty('proxy-authorization');
  });

  it.each([
    ['refuses the host', undefined, /refuses \(403\)/],
    ['wants other credentials', 'me:wrong', /\(407\)/],
  ])('that %s is no answer of Bitbucket, and nothing was sent', async (_, credentials, reason) => {
    const client = fastClient('https://elsewhere.example/2.0', { proxies: proxies(credentials) });
    const oauth = createOAuthClient({
      ...{ oauthUrl: 'https://elsewhere.example', clientId: 'id', clientSecret: 'x' },
      ...{ firstPauseMs: 5, proxies: proxies(credentials) },
    });
    for (const call of [
      () => client.getRepository(repo, context()),
      () => client.createHook(repo, hook, context()),
      () => oauth.refresh('token', context()),
    ]) {
      const error = await failure(call());
      expect(error).toMatchObject({ kind: 'unreachable', status: undefined, notSent: true });
      expect(error.message).toMatch(reason);
      expect(error.message).not.toContain(PASSWORD);
    }
    // Each was tried four times, a POST as well.
    expect(proxy.seen).toHaveLength(12);
  });
});
