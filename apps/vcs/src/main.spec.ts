import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { type CdsApiOptions, type CdsApiStandIn, startCdsApi } from '@cds/stand-ins/cds-api';
import {
  bundleProgram,
  disconnect,
  freePort,
  provesNothingHappensFor,
  startProcess,
  startTestRedis,
  waitFor,
  type RunningProcess,
  type TestRedis,
} from '@cds/testing';
import { HOOKS_STATE_KEY, stateOwnerOf, vcsKeys } from '@cds/redis';
import axios from 'axios';
import { Redis } from 'ioredis';
import { startBitbucketStandIn, type BitbucketStandIn } from '../test/bitbucket-stand-in.fixture';
import { newRepository } from '../test/stand-in-data.fixture';
import { accessHeaders } from '../test/test-context.fixture';

const ROOT = join(__dirname, '..', '..', '..');
const TOKEN = 'the-shared-infra-token';
const HASH = '6c9862f2-2dbd-44c7-ab70-751beab7c8bf';

let redis: TestRedis;
let bitbucket: BitbucketStandIn;
let port: number;
let running: RunningProcess[];
const closers: (() => Promise<void>)[] = [];

beforeEach(async () => {
  redis = await startTestRedis();
  bitbucket = await startBitbucketStandIn();
  bitbucket.repositories.push(newRepository('acme', 'widgets'));
  port = await freePort();
  running = [];
  closers.push(
    () => redis.stop(),
    () => bitbucket.close(),
  );
});

afterEach(async () => {
  for (const started of running) {
    started.kill('SIGKILL');
    await started.exited;
  }
  await Promise.all(closers.splice(0).map((close) => close()));
});

function envOf(apiUrl: string): NodeJS.ProcessEnv {
  const server = 'CDS_VCS_SERVERS_BITBUCKETCLOUD_BITBUCKETCLOUD';
  return {
    PATH: process.env.PATH,
    CDS_VCS_NAME: 'vcs-1',
    CDS_VCS_URL: `http://127.0.0.1:${port}`,
    CDS_VCS_HTTP_ADDR: '127.0.0.1',
    CDS_VCS_HTTP_PORT: String(port),
    CDS_VCS_API_HTTP_URL: apiUrl,
    CDS_VCS_API_TOKEN: TOKEN,
    CDS_VCS_CACHE_REDIS_HOST: `127.0.0.1:${redis.port}`,
    [`${server}_CLIENTID`]: 'the-client-id',
    [`${server}_CLIENTSECRET`]: 'the-client-secret',
    [`${server}_APIURL`]: bitbucket.apiUrl,
    [`${server}_OAUTHURL`]: bitbucket.oauthUrl,
  };
}

async function startVcs(apiUrl: string, change: NodeJS.ProcessEnv = {}): Promise<RunningProcess> {
  const started = await startProcess({
    command: process.execPath,
    args: [bundleProgram('apps/vcs/src/main.ts')],
    cwd: ROOT,
    stdin: change.CDS_BITBUCKET_SUPERVISED !== undefined,
    env: { ...envOf(apiUrl), ...change },
  });
  running.push(started);
  return started;
}

type Api = CdsApiStandIn & { hash: string };

/** An API whose services have the hash that is given; the token is the same for all. */
async function startApi({ hash = HASH, ...options }: CdsApiOptions = {}): Promise<Api> {
  const api = await startCdsApi({ sharedInfraToken: TOKEN, hash, ...options });
  closers.push(() => api.close());
  return Object.assign(api, { hash });
}

const call = (path: string, headers: Record<string, string> = {}) =>
  axios.get(`http://127.0.0.1:${port}${path}`, { headers, validateStatus: () => true });

it('waits for the API, registers, answers it, and ends on SIGTERM', async () => {
  const apiPort = await freePort();
  const vcs = await startVcs(`http://127.0.0.1:${apiPort}`);
  await waitFor(async () => (await call('/mon/version')).status === 200, {
    what: 'the service to listen',
  });
  // Nobody has a hash yet, so nobody is let in.
  expect((await call('/vcs', { X_AUTH_HEADER: 'x' })).status).toBe(401);

  const api = await startApi({ port: apiPort });
  await waitFor(() => api.services().length > 0, { what: 'a registration' });
  const registration = api.services()[0]?.registration;
  expect(registration).toMatchObject({
    name: 'vcs-1',
    type: 'vcs',
    http_url: `http://127.0.0.1:${port}`,
  });
  expect(JSON.stringify(registration?.config)).not.toContain('the-client-secret');

  const auth = { X_AUTH_HEADER: Buffer.from(api.hash).toString('base64') };
  await waitFor(async () => (await call('/vcs', auth)).status === 200, { what: 'the hash' });
  const repository = await call('/vcs/bitbucketcloud/repos/acme/widgets', {
    ...auth,
    ...accessHeaders(bitbucket.oauth.issue()),
  });
  expect(repository.data).toMatchObject({ fullname: 'acme/widgets' });
  const { lines } = (await call('/mon/status')).data;
  expect(lines).toContainEqual({ component: 'Redis', status: 'OK', value: 'OK', type: '' });

  // The test's Redis keeps nothing on disk.
  expect(vcs.stdout()).toContain('Redis may lose grants');
  expect(lines).toContainEqual({
    component: 'Redis Settings',
    status: 'WARN',
    value: expect.stringContaining('redis-cli CONFIG SET appendonly yes'),
    type: '',
  });
  vcs.kill('SIGTERM');
  expect(await vcs.exited).toEqual({ code: 0, signal: null });
});

it('is unready from SIGTERM on, and answers as long as stopDelay says', async () => {
  const api = await startApi();
  const vcs = await startVcs(api.url, { CDS_VCS_HTTP_STOPDELAY: '60' });
  const auth = { X_AUTH_HEADER: Buffer.from(api.hash).toString('base64') };
  await waitFor(async () => (await call('/mon/ready')).status === 200, { what: 'Redis' });
  await waitFor(async () => (await call('/vcs', auth)).status === 200, { what: 'the hash' });
  vcs.kill('SIGTERM');
  await vcs.waitForOutput('stopping');
  const { status, data } = await call('/mon/ready');
  expect([status, data]).toEqual([503, { ready: false, reason: 'the service is stopping' }]);
  expect((await call('/vcs', auth)).status).toBe(200);
  vcs.kill('SIGKILL');
  await vcs.exited;

  const next = await startVcs(api.url, { CDS_VCS_HTTP_STOPDELAY: '1' });
  await waitFor(async () => (await call('/mon/ready')).status === 200, { what: 'Redis' });
  next.kill('SIGTERM');
  expect(await next.exited).toEqual({ code: 0, signal: null });
});

it('ends with 1 when the API refuses it too often', async () => {
  const api = await startApi({ sharedInfraToken: 'another' });
  const vcs = await startVcs(api.url, { CDS_VCS_API_MAXHEARTBEATFAILURES: '0' });

  expect((await vcs.exited).code).toBe(1);
  expect(vcs.stdout()).toContain('CDS API unreachable');
});

it('says all that is wrong with its configuration and ends with 1', async () => {
  const vcs = await startVcs('no url', { CDS_VCS_HTTP_PORT: '99999', CDS_VCS_NAME: '' });

  expect((await vcs.exited).code).toBe(1);
  for (const key of ['CDS_VCS_API_HTTP_URL', 'CDS_VCS_HTTP_PORT', 'CDS_VCS_NAME'])
    expect(vcs.stderr().toUpperCase().replaceAll('.', '_')).toContain(key.replace('CDS_', ''));
});

it('says in its status, its metrics and its log why a Redis that is there refuses writes', async () => {
  const admin = new Redis({ port: redis.port });
  closers.unshift(async () => disconnect(admin));
  const setting = (name: string, bad: string, good: string) => ({
    refuse: () => admin.config('SET', name, bad),
    allow: () => admin.config('SET', name, good),
  });
  const [, folder = ''] = (await admin.config('GET', 'dir')) as string[];
  const inTheWay = join(folder, 'dump.rdb');
  const saved = async (status: 'ok' | 'err') => {
    await admin.bgsave();
    const line = `rdb_last_bgsave_status:${status}`;
    await waitFor(async () => (await admin.info('persistence')).includes(line));
  };
  const user = (change: string) => admin.acl('SETUSER', 'default', change);
  const reasons = [
    { why: /memory is full/, ...setting('maxmemory', '1', '0') },
    { why: /misses replicas/, ...setting('min-replicas-to-write', '1', '0') },
    { why: /lacks a permission/, refuse: () => user('-hset'), allow: () => user('+hset') },
    {
      why: /read-only replica/,
      refuse: () => admin.call('REPLICAOF', '127.0.0.1', '1'),
      allow: () => admin.call('REPLICAOF', 'NO', 'ONE'),
    },
    {
      why: /cannot write to its disk/,
      async refuse() {
        await admin.config('SET', 'save', '3600 1');
        mkdirSync(inTheWay);
        await saved('err');
      },
      async allow() {
        rmdirSync(inTheWay);
        await saved('ok');
      },
    },
  ];
  const vcs = await startVcs((await startApi()).url);
  const line = async () => {
    const { data } = await call('/mon/status');
    return data.lines.find(({ component }: { component: string }) => component === 'Redis');
  };
  const metrics = async () => String((await call('/mon/metrics')).data);
  const isWell = async () => (await line()).status === 'OK';
  await waitFor(async () => isWell().catch(() => false), { what: 'a good Redis' });

  for (const { why, refuse, allow } of reasons) {
    await refuse();
    // Before it is asked again and again.
    await vcs.waitForOutput(why);
    const refused = await waitFor(async () => {
      const now = await line();
      return why.test(now.value) ? now : undefined;
    });
    expect(refused).toMatchObject({
      status: 'AL',
      value: expect.stringMatching(/^refuses writes, so no grant can be renewed: /),
    });
    await waitFor(async () => (await metrics()).includes('\ncds_vcs_redis_writable 0\n'));
    expect(await metrics()).toContain('\ncds_vcs_redis_up 1\n');
    await allow();
    await waitFor(isWell);
    await waitFor(async () => (await metrics()).includes('\ncds_vcs_redis_writable 1\n'));
    const errors = vcs
      .stdout()
      .split('\n')
      .filter((text) => why.test(text));
    expect(errors).toEqual([expect.stringMatching(/"level":"error".*Redis refuses writes/)]);
  }

  // An answer, if not the one that was asked for.
  await user('-ping');
  expect(await line()).toMatchObject({ status: 'OK' });
  admin.disconnect();
  await redis.kill();
  await waitFor(async () => (await line()).value.startsWith('Redis does not answer'));
  await waitFor(async () => (await metrics()).includes('\ncds_vcs_redis_up 0\n'));
  expect(await metrics()).toContain('\ncds_vcs_redis_writable 1\n');
});

describe('a Redis in cluster mode ends the start with one error', () => {
  /** With no slots, and with all: a node takes two seconds until it serves them. */
  let empty: TestRedis;
  let node: TestRedis;
  beforeAll(async () => {
    const start = () => startTestRedis({ args: ['--cluster-enabled', 'yes'] });
    [empty, node] = [await start(), await start()];
    await node.assignSlots();
  });
  afterAll(() => Promise.all([empty.stop(), node.stop()]));

  const startAt = async (server: TestRedis, change: NodeJS.ProcessEnv = {}) =>
    startVcs((await startApi()).url, {
      CDS_VCS_CACHE_REDIS_HOST: `127.0.0.1:${server.port}`,
      ...change,
    });

  async function endOf(vcs: RunningProcess) {
    const { code } = await vcs.exited;
    const lines = vcs.stdout().split('\n').filter(Boolean);
    const records = lines.map((line) => JSON.parse(line) as { level: string; msg: string });
    return { code, errors: records.filter(({ level }) => level === 'error').map(({ msg }) => msg) };
  }

  const ONE_ERROR = [
    expect.stringMatching(/^Redis is in cluster mode, which is not supported: give/),
  ];

  it('where it has all slots', async () => {
    expect(await endOf(await startAt(node))).toEqual({ code: 1, errors: ONE_ERROR });
  });

  it('where it has none, and whoever supervises vcs is told not to try again', async () => {
    const vcs = await startAt(empty, { CDS_BITBUCKET_SUPERVISED: '1' });
    expect(await endOf(vcs)).toEqual({ code: 78, errors: ONE_ERROR });
  });

  // The last, since the node has to wait again after it.
  it('when it is there for the first time', async () => {
    await node.kill();
    const vcs = await startAt(node);
    await vcs.waitForOutput('Redis cannot be reached');
    await node.start();
    expect(await endOf(vcs)).toEqual({ code: 1, errors: ONE_ERROR });
  });
});

describe('the state in Redis', () => {
  const MARK = 'cdsbb:vcs:state';
  let admin: Redis;
  let own: Api;
  let ownPort: number;
  /** Made by the first test that asks for it: by key, with the time it has left. */
  const left = new Map<string, { value: Buffer; leftMs: number }>();
  beforeAll(async () => {
    ownPort = await freePort();
  });
  beforeEach(async () => {
    admin = new Redis({ port: redis.port });
    closers.unshift(async () => disconnect(admin));
    own = await startApi({ port: ownPort });
  });

  const WIDGETS = '/vcs/bitbucketcloud/repos/acme/widgets';
  /** What every key holds, aside from the one that expires seconds after a service has ended. */
  async function dump(): Promise<Record<string, string>> {
    const kept: Record<string, string> = {};
    for (const key of (await admin.keys('*')).sort())
      if (!key.endsWith(vcsKeys.alive))
        kept[key] = (await admin.dumpBuffer(key))?.toString('hex') ?? '';
    return kept;
  }

  async function end(vcs: RunningProcess): Promise<void> {
    vcs.kill('SIGTERM');
    await vcs.exited;
  }

  /** The state of the CDS whose API is `own`, with a grant, and who has it. */
  async function leaveState(): Promise<ReturnType<BitbucketStandIn['oauth']['issue']>> {
    const pair = bitbucket.oauth.issue();
    if (left.size === 0) await makeState();
    else
      for (const [key, { value, leftMs }] of left)
        await admin.restore(key, Math.max(0, leftMs), value);
    await admin.set(vcsKeys.grant(pair.refreshToken), 'sealed');
    return pair;
  }

  /** Lets a `vcs` work for that CDS until it has left all that it leaves. */
  async function makeState(): Promise<void> {
    const vcs = await startVcs(own.url);
    await waitFor(() => admin.exists(MARK), { what: 'the mark' });
    await waitFor(() => admin.exists('cdsbb:vcs:hashes:vcs-1'), { what: 'the hash' });
    await end(vcs);
    for (const key of await admin.keys('*')) {
      const [value, leftMs] = [await admin.dumpBuffer(key), await admin.pttl(key)];
      if (value && !key.endsWith(vcsKeys.alive)) left.set(key, { value, leftMs });
    }
  }

  /** Another API with another hash; the token is the same in the stand-in. */
  const otherApi = () => startApi({ hash: 'b1d7ff29-4dbe-4e3a-8f4a-0c49a5a4c1aa' });

  const auth = (api: Api) => ({
    X_AUTH_HEADER: Buffer.from(api.hash).toString('base64'),
  });
  const stateLine = async () =>
    (await call('/mon/status')).data.lines.find(
      ({ component }: { component: string }) => component === 'State',
    );
  const ownersOf = async (mark: string) =>
    (await admin.hkeys(mark)).filter((field) => field.startsWith('owner:'));
  const errorsOf = (vcs: RunningProcess) =>
    vcs
      .stdout()
      .split('\n')
      .filter((line) => line.includes('"level":"error"'));

  it('of another CDS is left alone, says what to do, and is given by an operator', async () => {
    await leaveState();
    await admin.zadd('cdsbb:vcs:unfinished', 1, 'of-another');
    const before = await dump();
    const api = await otherApi();
    const stranger = await startVcs(api.url);
    await stranger.waitForOutput('engine vcs adopt');

    const line = await waitFor(async () => (await stateLine()) ?? undefined);
    expect(line).toMatchObject({ status: 'AL', value: expect.stringMatching(/another CDS/) });
    const tokens = accessHeaders(bitbucket.oauth.issue());
    for (const headers of [auth(api), { ...auth(api), ...tokens }]) {
      const refused = await call(WIDGETS, headers);
      expect([refused.status, refused.headers['retry-after']]).toEqual([503, '5']);
      expect(refused.data.message).toContain('another CDS');
    }
    expect(errorsOf(stranger)).toEqual([expect.stringMatching(/vcs\.cache\.redis.*keyPrefix/)]);
    expect(await dump()).toEqual(before);

    await admin.del('cdsbb:vcs:unfinished');
    const adopted = await startProcess({
      command: process.execPath,
      args: [bundleProgram('apps/engine/src/main.ts'), 'vcs', 'adopt', '--yes'],
      cwd: ROOT,
      env: envOf(api.url),
    });
    running.push(adopted);
    expect((await adopted.exited).code).toBe(0);
    expect(adopted.stdout()).toMatch(/^Adopted: /);
    await waitFor(async () => (await stateLine()) === undefined);
    expect((await call(WIDGETS, { ...auth(api), ...tokens })).status).toBe(200);
  });

  it('goes on at another address: by the hash, or by a request for a project that is linked', async () => {
    const pair = await leaveState();
    const sameHash = await startApi();
    const moved = await startVcs(sameHash.url);
    await waitFor(async () => (await admin.hkeys(MARK)).length === 4, { what: 'its name' });
    expect(errorsOf(moved)).toEqual([]);
    await end(moved);

    const api = await otherApi();
    await startVcs(api.url);
    await waitFor(async () => (await stateLine())?.status === 'AL');
    await admin.del(vcsKeys.grant(pair.refreshToken));
    expect((await call(WIDGETS, { ...auth(api), ...accessHeaders(pair) })).status).toBe(503);
    await admin.set(vcsKeys.grant(pair.refreshToken), 'sealed');
    expect((await call(WIDGETS, { ...auth(api), ...accessHeaders(pair) })).status).toBe(200);
    await waitFor(async () => (await stateLine()) === undefined);
  });

  it('is shared by replicas that have a name and a token each, by the key of the API', async () => {
    const api = await startApi({ cds: '0.57' });
    for (const [index, name] of ['vcs-1', 'vcs-2'].entries()) {
      const token = api.tokenOf('vcs', name);
      const vcs = await startVcs(api.url, { CDS_VCS_NAME: name, CDS_VCS_API_TOKEN: token });
      await waitFor(async () => (await ownersOf(MARK)).length === index + 1, { what: name });
      await waitFor(() => admin.exists(vcsKeys.signingKeys), { what: 'the key' });
      expect([errorsOf(vcs), await stateLine()]).toEqual([[], undefined]);
      await end(vcs);
    }
  });

  it('goes on after the upgrade of a CDS before 0.44 where hooks proves that it is the same', async () => {
    await leaveState();
    await own.close();
    const api = await startApi({ cds: '0.57', port: own.port });
    const token = api.tokenOf('vcs', 'vcs-1');
    const webhookKey = 'a key of webhooks that is no token';
    const upgraded = { CDS_VCS_API_TOKEN: token, CDS_VCS_WEBHOOKKEY: webhookKey };
    const names = { url: api.url, token, webhookKey };

    // Another CDS, whose hooks have no task of the one before.
    await admin.hset(HOOKS_STATE_KEY, `owner:${await stateOwnerOf(names)}`, '1');
    const stranger = await startVcs(api.url, upgraded);
    await stranger.waitForOutput('engine vcs adopt');
    await end(stranger);

    await admin.hset(HOOKS_STATE_KEY, ...(await ownersOf(MARK)).flatMap((owner) => [owner, '1']));
    const vcs = await startVcs(api.url, upgraded);
    await waitFor(async () => (await ownersOf(MARK)).length === 2, { what: 'its name' });
    expect([errorsOf(vcs), await stateLine()]).toEqual([[], undefined]);
  });

  it('without a mark, of a version before, is taken over without help, not by a wrong token', async () => {
    const pair = await leaveState();
    await admin.del(MARK);
    own.setSharedInfraToken('another');
    const refused = await startVcs(own.url, { CDS_VCS_API_MAXHEARTBEATFAILURES: '0' });
    await refused.exited;
    expect(await admin.exists(MARK)).toBe(0);

    own.setSharedInfraToken(TOKEN);
    const vcs = await startVcs(own.url);
    await waitFor(() => admin.exists(MARK), { what: 'the mark' });
    expect((await call(WIDGETS, { ...auth(own), ...accessHeaders(pair) })).status).toBe(200);
    expect(errorsOf(vcs)).toEqual([]);
    expect(await admin.hget(MARK, 'format')).toBe('1');
  });

  it('is not worked on before the API has taken the registration, which refuses calls until then', async () => {
    const pair = await leaveState();
    await admin.zadd('cdsbb:vcs:unfinished', 1, 'of-a-build');
    const away = await freePort();
    await startVcs(`http://127.0.0.1:${away}`);
    const linked = { ...auth(own), ...accessHeaders(pair) };
    await waitFor(async () => (await call(WIDGETS, linked)).status === 200, { what: 'the state' });
    await provesNothingHappensFor(1_000);
    expect(await admin.zscore('cdsbb:vcs:unfinished', 'of-a-build')).toBe('1');
    await startApi({ port: away });
    await waitFor(async () => (await admin.zcard('cdsbb:vcs:unfinished')) === 0, {
      what: 'a look at what is unfinished',
    });
  });

  it.each(['0', '2'])('in format %s is left alone, also at run time', async (format) => {
    const pair = await leaveState();
    const vcs = await startVcs(own.url);
    await vcs.waitForOutput('registered with the CDS API');
    await admin.hset(MARK, 'format', format);
    await vcs.waitForOutput('in a format that this one cannot read');
    const before = await dump();

    const refused = await call(WIDGETS, { ...auth(own), ...accessHeaders(pair) });
    expect([refused.status, (await stateLine()).status]).toEqual([503, 'AL']);
    await end(vcs);
    const again = await startVcs(own.url);
    await again.waitForOutput('in a format that this one cannot read');
    expect(await dump()).toEqual(before);
  });
});
