import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { startTestRedis, waitFor, takesTime, provesNothingHappensFor } from '@cds/testing';
import { createGrantCipher, vcsKeys } from '@cds/redis';
import axios from 'axios';
import { Redis } from 'ioredis';
import {
  accessHeaders,
  useTestContext,
  type Pair,
  type VcsInstance,
} from '../../test/test-context.fixture';
import { CLIENT_SECRET } from '../../test/oauth-stand-in.fixture';

const REPO = '/vcs/bitbucketcloud/repos/acme/widgets';
const NEW_TOKEN = 'x-cds-access-token';

const context = useTestContext();

async function linked(instance = context.instance()): Promise<Pair> {
  const secret = context.bitbucket.oauth.code();
  const { body } = await instance
    .call('post', '/vcs/bitbucketcloud/authorize')
    .send({ token: 'the-state', secret });
  return { accessToken: body.token, refreshToken: body.secret };
}

describe('linking a project', () => {
  it('sends the user to Bitbucket with a state that nobody can guess', async () => {
    const vcs = context.instance();
    const first = await vcs.call('get', '/vcs/bitbucketcloud/authorize');
    const second = await vcs.call('get', '/vcs/bitbucketcloud/authorize');

    expect(first.status).toBe(200);
    expect(first.body.token).toMatch(/^[0-9a-f]{128}$/);
    expect(first.body.token).not.toBe(second.body.token);
    const url = new URL(first.body.url);
    expect(url.searchParams.get('state')).toBe(first.body.token);
    expect(url.searchParams.get('client_id')).toBe('the-client-id');
    expect(url.searchParams.get('response_type')).toBe('code');
  });

  it('turns the code into tokens and keeps them encrypted, for 100 days', async () => {
    const vcs = context.instance();
    const pair = await linked(vcs);

    expect(pair.accessToken).toMatch(/^access-/);
    expect(pair.refreshToken).toMatch(/^refresh-/);
    const key = vcsKeys.grant(pair.refreshToken);
    const stored = await vcs.redis.get(key);
    expect(stored).not.toBeNull();
    expect(key + stored).not.toContain(pair.accessToken);
    expect(key + stored).not.toContain(pair.refreshToken);
    expect(await vcs.redis.ttl(key)).toBeGreaterThan(99 * 24 * 3600);
  });

  it('says what to do when Bitbucket refuses the code', async () => {
    const answer = await context
      .instance()
      .call('post', '/vcs/bitbucketcloud/authorize')
      .send({ token: 's', secret: 'made-up' });

    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({
      id: 74,
      message: expect.stringContaining('link the project'),
    });
  });

  it('tells a wrong client secret from a dead grant', async () => {
    const vcs = context.instance({ server: { clientSecret: 'wrong' } });
    const answer = await vcs
      .call('post', '/vcs/bitbucketcloud/authorize')
      .send({ token: 's', secret: context.bitbucket.oauth.code() });

    expect(answer.status).toBe(502);
    expect(answer.body.message).toContain('client secret');
  });

  it('works while Redis is away, since the API has the pair too', async () => {
    const vcs = context.instance();
    await context.redisServer.kill();
    const pair = await linked(vcs);

    expect(pair.accessToken).toMatch(/^access-/);
    expect((await vcs.call('get', REPO, pair)).status).toBe(200);
    await context.reviveRedis();
  });
});

describe('the tokens of a request', () => {
  it.each([
    ['no tokens', {}],
    ['no refresh token', { 'X-CDS-ACCESS-TOKEN': 'YWNjZXNzLTE=' }],
    [
      'tokens that are no base64',
      { 'X-CDS-ACCESS-TOKEN': '%%%', 'X-CDS-ACCESS-TOKEN-SECRET': 'cmVmcmVzaC0x' },
    ],
    [
      'tokens with control characters',
      { 'X-CDS-ACCESS-TOKEN': 'YQpiOiBj', 'X-CDS-ACCESS-TOKEN-SECRET': 'cmVmcmVzaC0x' },
    ],
  ])('refuses %s with 401', async (_, headers) => {
    const answer = await context.instance().call('get', REPO).set(headers);

    expect(answer.status).toBe(401);
    expect(answer.body.id).toBe(10);
    expect(context.bitbucket.requests).toHaveLength(0);
  });

  it('are those of the headers when Redis has none', async () => {
    const answer = await context.instance().call('get', REPO, context.pair);

    expect(answer.status).toBe(200);
    expect(answer.headers[NEW_TOKEN]).toBeUndefined();
    expect(context.bitbucket.requests[0]?.token).toBe(context.pair.accessToken);
  });

  it('are refreshed once on a 401, stored, and told to the API in plain text', async () => {
    const { oauth, requests } = context.bitbucket;
    const vcs = context.instance();
    oauth.expire(context.pair.accessToken);
    const answer = await vcs.call('get', REPO, context.pair);
    const renewed = requests.at(-1)?.token;

    expect(answer.status).toBe(200);
    expect(renewed).not.toBe(context.pair.accessToken);
    expect(answer.headers[NEW_TOKEN]).toBe(renewed);
    expect(oauth.refreshes).toEqual([200]);

    // The API may go on with the old pair for ever: another replica finds the new one.
    const again = await context.instance().call('get', REPO, context.pair);
    expect(again.status).toBe(200);
    expect(again.headers[NEW_TOKEN]).toBe(renewed);
    expect(oauth.refreshes).toEqual([200]);

    // And the API's new access token is no news to it.
    const told = { ...context.pair, accessToken: String(renewed) };
    expect((await vcs.call('get', REPO, told)).headers[NEW_TOKEN]).toBeUndefined();
  });

  it('go through many refreshes although the API keeps the first refresh token', async () => {
    const { oauth } = context.bitbucket;
    const vcs = context.instance();
    let accessToken = context.pair.accessToken;
    for (let round = 0; round < 4; round += 1) {
      oauth.expire(accessToken);
      const answer = await vcs.call('get', `${REPO}/branches/?branch=main`, context.pair);
      expect(answer.status).toBe(200);
      accessToken = String(answer.headers[NEW_TOKEN]);
    }
    expect(oauth.refreshes).toEqual([200, 200, 200, 200]);
  });

  it('are those of the newest pair, also when Redis comes back with an older one, or none', async () => {
    const { oauth } = context.bitbucket;
    const vcs = context.instance();
    const renewed = async (instance = vcs): Promise<string> => {
      const answer = await instance.call('get', `${REPO}/branches/?branch=main`, context.pair);
      expect(answer.status).toBe(200);
      return String(answer.headers[NEW_TOKEN]);
    };
    const key = vcsKeys.grant(context.pair.refreshToken);
    const redis = new Redis(context.redisServer.url);
    try {
      oauth.expire(context.pair.accessToken);
      let token = await renewed();
      for (const lost of [await redis.get(key), null]) {
        oauth.expire(token);
        token = await renewed();
        // A failover to a replica that has not got the last renewal.
        await (lost === null ? redis.del(key) : redis.set(key, lost));
        oauth.expire(token);
        token = await renewed();
      }
      expect(oauth.refreshes).toEqual([200, 200, 200, 200, 200]);
      expect(await renewed(context.instance())).toBe(token);
    } finally {
      redis.disconnect();
    }
  });

  it('are those that a replica of an older version renewed, which counts no generations', async () => {
    const { oauth } = context.bitbucket;
    const [vcs, older] = [context.instance(), context.instance()];
    const renewed = async (instance: VcsInstance): Promise<string> => {
      const answer = await instance.call('get', `${REPO}/branches/?branch=main`, context.pair);
      expect(answer.status).toBe(200);
      return String(answer.headers[NEW_TOKEN]);
    };
    const key = vcsKeys.grant(context.pair.refreshToken);
    const cipher = createGrantCipher(CLIENT_SECRET);
    /** The stored pair as the older version wrote it. */
    const uncounted = async (): Promise<string> => {
      const sealed = cipher.open(key, String(await vcs.redis.get(key)));
      const { generation, ...pair } = JSON.parse(String(sealed));
      expect(generation).toBeGreaterThan(0);
      return cipher.seal(key, JSON.stringify(pair));
    };
    oauth.expire(context.pair.accessToken);
    const first = await renewed(vcs);
    const firstStored = await uncounted();
    oauth.expire(first);
    const second = await renewed(older);
    await vcs.redis.set(key, await uncounted());

    expect(await renewed(vcs)).toBe(second);
    oauth.expire(second);
    const third = await renewed(vcs);
    expect(oauth.refreshes).toEqual([200, 200, 200]);

    // One of its older pairs, brought back by a failover, is replaced by the newest as ever.
    await vcs.redis.set(key, firstStored);
    oauth.expire(third);
    await renewed(vcs);
    expect(oauth.refreshes).toEqual([200, 200, 200, 200]);
  });

  it('are in a replica of Redis before they are used, where it has one that answers', async () => {
    const { oauth } = context.bitbucket;
    const vcs = context.instance();
    const redis = new Redis(context.redisServer.url);
    const waits = async (): Promise<number> => {
      const stats = await redis.info('commandstats');
      return Number(/cmdstat_wait:calls=(\d+)/.exec(stats)?.[1] ?? 0);
    };
    const replica = await startTestRedis();
    const follower = new Redis(replica.url);
    try {
      oauth.expire(context.pair.accessToken);
      const before = await waits();
      const { headers } = await vcs.call('get', `${REPO}/branches/?branch=main`, context.pair);
      expect(await waits()).toBe(before);

      await follower.replicaof('127.0.0.1', context.redisServer.port);
      await waitFor(async () => (await follower.info('replication')).includes('link_status:up'));
      // The master sends it nothing before it has acknowledged something, up to a second later.
      await waitFor(async () => {
        await redis.set('written', 'for the replica');
        return (await redis.wait(1, 1_000)) === 1;
      });
      const replicated = await waits();
      oauth.expire(String(headers[NEW_TOKEN]));
      const second = await vcs.call('get', `${REPO}/branches/?branch=main`, context.pair);
      expect(second.status).toBe(200);
      expect(await waits()).toBe(replicated + 1);
      const key = vcsKeys.grant(context.pair.refreshToken);
      expect(await follower.get(key)).toBe(await redis.get(key));

      replica.freeze();
      oauth.expire(String(second.headers[NEW_TOKEN]));
      expect((await vcs.call('get', `${REPO}/branches/?branch=main`, context.pair)).status).toBe(
        200,
      );
      expect(oauth.refreshes).toEqual([200, 200, 200]);
    } finally {
      replica.thaw();
      redis.disconnect();
      follower.disconnect();
      await replica.stop();
    }
  });

  it('are refreshed ahead of their time, by expires_in', async () => {
    const { oauth, requests } = context.bitbucket;
    const vcs = context.instance();
    const pair = await linked(vcs);
    const realNow = Date.now.bind(Date);
    // Half a minute of the hour is left.
    const clock = jest.spyOn(Date, 'now').mockImplementation(() => realNow() + 3_570_000);
    const answer = await vcs.call('get', REPO, pair);
    clock.mockRestore();

    expect(answer.status).toBe(200);
    expect(oauth.refreshes).toEqual([200]);
    // No 401 was needed.
    expect(requests).toHaveLength(1);
  });

  it('keep the grant alive: its time in Redis begins anew when it is used', async () => {
    const pair = await linked();
    const other = context.instance();
    const key = vcsKeys.grant(pair.refreshToken);
    await other.redis.expire(key, 1000);
    await other.call('get', REPO, pair);

    await waitFor(async () => (await other.redis.ttl(key)) > 99 * 24 * 3600, {
      what: 'the grant to be prolonged',
    });
  });

  it('come from the headers when the client secret was changed, which means linking again', async () => {
    const { oauth } = context.bitbucket;
    oauth.expire(context.pair.accessToken);
    const before = await context.instance().call('get', REPO, context.pair);
    oauth.clientSecret = 'another';
    const changed = context.instance({ server: { clientSecret: 'another' } });
    const fresh = { ...context.pair, accessToken: String(before.headers[NEW_TOKEN]) };

    expect((await changed.call('get', REPO, fresh)).status).toBe(200);
    expect((await changed.call('get', REPO, context.pair)).body.id).toBe(44);
    expect(context.logged).toContainEqual(
      expect.objectContaining({ msg: expect.stringContaining('cannot be decrypted') }),
    );
  });
});

describe('a dead grant', () => {
  it('is 401 with id 44, keeps the pair, and is not asked for again at once', async () => {
    const { oauth } = context.bitbucket;
    const vcs = context.instance();
    const pair = await linked(vcs);
    oauth.expire(pair.accessToken);
    oauth.revokeAll();
    const first = await vcs.call('get', REPO, pair);
    const second = await vcs.call('get', REPO, pair);

    expect(first.status).toBe(401);
    expect(first.body.id).toBe(44);
    expect(first.body.message).toContain('link the project again');
    expect(first.headers[NEW_TOKEN]).toBeUndefined();
    expect(second.status).toBe(401);
    expect(oauth.refreshes).toEqual([400]);
    expect(await vcs.redis.get(vcsKeys.grant(pair.refreshToken))).not.toBeNull();
  });

  it('that was only locked out lives again by itself', async () => {
    const { oauth } = context.bitbucket;
    const vcs = context.instance();
    oauth.expire(context.pair.accessToken);
    oauth.lockedOut = true;
    expect((await vcs.call('get', REPO, context.pair)).status).toBe(401);
    oauth.lockedOut = false;
    await takesTime(1_100);

    expect((await vcs.call('get', REPO, context.pair)).status).toBe(200);
    expect(oauth.refreshes).toEqual([400, 200]);
  });

  it('lives again after the project is linked again', async () => {
    const { oauth } = context.bitbucket;
    const vcs = context.instance();
    oauth.expire(context.pair.accessToken);
    oauth.revokeAll();
    expect((await vcs.call('get', REPO, context.pair)).status).toBe(401);

    expect((await vcs.call('get', REPO, await linked(vcs))).status).toBe(200);
  });

  it('is what a token that is refused right after its refresh means', async () => {
    context.bitbucket.disturb({
      path: /widgets$/,
      status: 401,
      body: { type: 'error', error: { message: 'No' } },
      times: 2,
    });
    const answer = await context.instance().call('get', REPO, context.pair);

    expect(answer.status).toBe(401);
    expect(answer.body.id).toBe(44);
    expect(context.bitbucket.oauth.refreshes).toEqual([200]);
  });
});

describe('many callers', () => {
  it('of two replicas make one refresh', async () => {
    const { oauth } = context.bitbucket;
    const replicas = [context.instance(), context.instance()];
    oauth.expire(context.pair.accessToken);
    oauth.latencyMs = 200;
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        replicas[index % 2]?.call('get', REPO, context.pair),
      ),
    );

    expect(answers.map((answer) => answer?.status)).toEqual(Array(50).fill(200));
    expect(new Set(answers.map((answer) => answer?.headers[NEW_TOKEN])).size).toBe(1);
    expect(oauth.refreshes).toEqual([200]);
  });

  it('of two projects do not wait for each other', async () => {
    const { oauth } = context.bitbucket;
    const vcs = context.instance();
    const other = oauth.issue();
    oauth.expire(context.pair.accessToken);
    oauth.latencyMs = 500;
    const slow = vcs.call('get', REPO, context.pair).then((answer) => answer.status);
    await waitFor(() => context.bitbucket.requests.length > 0, { what: 'the first call' });
    const quick = await vcs.call('get', REPO, other);

    expect(quick.status).toBe(200);
    expect(oauth.refreshes).toEqual([]);
    expect(await slow).toBe(200);
  });

  it('do not lose the new pair when the one that asked for it hangs up', async () => {
    const { oauth } = context.bitbucket;
    const vcs = context.instance();
    oauth.expire(context.pair.accessToken);
    oauth.latencyMs = 300;
    const server = vcs.app.app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const caller = new AbortController();
    const { port } = server.address() as AddressInfo;
    const headers = { ...accessHeaders(context.pair), X_AUTH_HEADER: 'aGFzaA==' };
    const gone = axios.get(`http://127.0.0.1:${port}${REPO}`, { signal: caller.signal, headers });
    await waitFor(() => context.bitbucket.requests.length > 0, { what: 'the first call' });
    caller.abort();
    await expect(gone).rejects.toThrow('canceled');

    await waitFor(async () => vcs.redis.exists(vcsKeys.grant(context.pair.refreshToken)), {
      what: 'the grant to be stored',
    });
    expect((await vcs.call('get', REPO, context.pair)).status).toBe(200);
    expect(oauth.refreshes).toEqual([200]);
    server.close();
  });
});

it('a service that ends waits for the refresh of a caller who is gone', async () => {
  const { oauth } = context.bitbucket;
  const vcs = context.instance({ deadlineMs: 100 });
  oauth.expire(context.pair.accessToken);
  oauth.latencyMs = 600;
  expect((await vcs.call('get', REPO, context.pair)).status).toBe(504);
  expect(oauth.refreshes).toEqual([]);
  await vcs.app.close(5_000);

  expect(oauth.refreshes).toEqual([200]);
  expect(await vcs.redis.exists(vcsKeys.grant(context.pair.refreshToken))).toBe(1);
});

describe('without Redis', () => {
  it("the API's access token is used as it is", async () => {
    const vcs = context.instance();
    await linked(vcs);
    await context.redisServer.kill();

    expect((await vcs.call('get', REPO, context.pair)).status).toBe(200);
    await context.reviveRedis();
  });

  it('nothing is refreshed: 503 and what to do; once it is back all goes on', async () => {
    const { oauth } = context.bitbucket;
    const vcs = context.instance();
    await vcs.redis.ping();
    oauth.expire(context.pair.accessToken);
    await context.redisServer.kill();
    const answer = await vcs.call('get', REPO, context.pair);

    expect(answer.status).toBe(503);
    expect(answer.body.message).toContain('bring Redis back');
    expect(oauth.refreshes).toEqual([]);

    await context.reviveRedis();
    expect((await vcs.call('get', REPO, context.pair)).status).toBe(200);
  });

  it('a pair that was refreshed already is kept in memory and stored before it is used', async () => {
    const { oauth, requests } = context.bitbucket;
    const vcs = context.instance();
    await vcs.redis.ping();
    oauth.expire(context.pair.accessToken);
    oauth.latencyMs = 2_000;
    const answering = vcs.call('get', REPO, context.pair).then((answer) => answer);
    // A lock that is taken says nothing yet: under it Redis is read once more.
    await waitFor(() => oauth.asked > 0, { what: 'the refresh to be under way' });
    await context.redisServer.kill();
    await waitFor(() => oauth.refreshes.length > 0, { what: 'the refresh' });
    await provesNothingHappensFor(300);
    expect(requests).toHaveLength(1);

    await context.reviveRedis();
    const answer = await answering;
    expect(answer.status).toBe(200);
    expect(oauth.refreshes).toEqual([200]);
    expect(await vcs.redis.exists(vcsKeys.grant(context.pair.refreshToken))).toBe(1);
    expect(requests).toHaveLength(2);
  });
});

it('never logs a token', async () => {
  const { oauth } = context.bitbucket;
  const vcs = context.instance();
  const pair = await linked(vcs);
  oauth.expire(pair.accessToken);
  await vcs.call('get', REPO, pair);
  oauth.revokeAll();
  await vcs.call('get', REPO, pair);
  await vcs.call('get', `${REPO}/commits/nope`, pair);

  expect(context.logged.length).toBeGreaterThan(0);
  expect(JSON.stringify(context.logged)).not.toMatch(/(access|refresh|code)-\d/);
  expect(JSON.stringify(context.logged)).not.toContain('the-client-secret');
});
