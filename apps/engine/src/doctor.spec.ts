import { once } from 'node:events';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { createRefusalStore, createTaskStore } from '@cds/hooks-store';
import { KEYS } from '@cds/hooks-store/keys';
import { createGrantCipher, stateOwnerOf, vcsKeys } from '@cds/redis';
import { type BitbucketStandIn, startBitbucket } from '@cds/stand-ins/bitbucket';
import { type CdsApiStandIn, startCdsApi } from '@cds/stand-ins/cds-api';
import {
  bundleProgram,
  createTestCa,
  freePort,
  startProcess,
  startTestRedis,
  type TestRedis,
  TLS_CERTIFICATE,
  TLS_KEY,
} from '@cds/testing';
import Redis from 'ioredis';
import { bundleEngine, type Engine } from '../test/engine.fixture';
import { publicChecks } from './doctor/checks/public-url';
import { NEEDED_COMMANDS } from './doctor/checks/redis-rights';

const PUBLIC = 'http://hooks.example.com';
const HOOK = '0e9a4f4c-56b8-4ba6-9e6b-0f0b6f2a4d11';
const SECRETS = ['token-of-all-0123456789', 'sandbox-secret', 'redis-password'];

interface Finding {
  id: string;
  subject: string;
  status: 'ok' | 'warning' | 'failed' | 'skipped';
  message: string;
  fix?: string;
}

type Webhook = Parameters<ReturnType<BitbucketStandIn['repository']>['webhooks']['set']>[1];

let engine: Engine;
let server: TestRedis;
let redis: Redis;
let bitbucket: BitbucketStandIn;
let api: CdsApiStandIn;
/** hooks and vcs, as far as doctor asks them. */
let services: Server;
let lines: object[];

beforeAll(async () => {
  engine = bundleEngine();
  [server, bitbucket, api] = await Promise.all([
    startTestRedis({
      appendonly: true,
      args: ['--requirepass', 'redis-password', '--maxmemory-policy', 'noeviction'],
    }),
    startBitbucket(),
    startCdsApi({ sharedInfraToken: 'token-of-all-0123456789' }),
  ]);
  redis = new Redis(server.port, server.host, { password: 'redis-password' });
  services = createServer((request, response) => {
    response.setHeader('Content-Type', 'application/json');
    if (request.method === 'PATCH')
      return response
        .writeHead(405)
        .end(JSON.stringify({ id: 9, message: 'method not allowed', data: null, uuid: HOOK }));
    return response.end(JSON.stringify({ now: new Date().toISOString(), lines }));
  }).listen(0, '127.0.0.1');
});
beforeEach(async () => {
  lines = [{ status: 'OK', component: 'Redis', value: 'fine', type: '' }];
  await redis.flushall();
});
afterAll(async () => {
  redis.disconnect();
  services.close();
  await Promise.all([server.stop(), bitbucket.close(), api.close()]);
  engine.remove();
});

const servicesUrl = () => `http://127.0.0.1:${(services.address() as AddressInfo).port}`;

interface Change {
  apiUrl?: string;
  redisPort?: number;
  redis?: string;
  redisUser?: (service: string) => string;
  clientSecret?: string;
  urlPublic?: string;
  token?: string;
  vcs?: string;
}

function configText(o: Change = {}): string {
  const service = (name: string) => `
[${name}]
name = "my-${name}"
URL = "${servicesUrl()}"
webhookKey = "0123456789abcdef0123456789abcdef"
${name === 'hooks' ? `urlPublic = "${o.urlPublic ?? PUBLIC}"` : ''}
[${name}.api]
token = "${o.token === undefined ? SECRETS[0] : `${o.token}${name}`}"
[${name}.api.http]
url = "${o.apiUrl ?? api.url}"
[${name}.cache.redis]
host = "127.0.0.1:${o.redisPort ?? server.port}"
password = "redis-password"
username = "${o.redisUser?.(name) ?? ''}"
${o.redis ?? ''}
`;
  return `${service('vcs')}
[vcs.servers.bitbucketcloud.bitbucketcloud]
clientId = "sandbox-client"
clientSecret = "${o.clientSecret ?? 'sandbox-secret'}"
apiUrl = "${bitbucket.apiUrl}"
oauthUrl = "${bitbucket.oauthUrl}"
${o.vcs ?? ''}
${service('hooks')}`;
}

/** Through a proxy, as the only way out: it answers in the place of all. */
const behindProxy = () => ({ HTTP_PROXY: servicesUrl() });

async function doctor(text: string, args: string[] = [], mode = 0o600) {
  const file = join(engine.folder(), 'cds.toml');
  writeFileSync(file, text);
  chmodSync(file, mode);
  return engine.call(['doctor', '--config', file, ...args], behindProxy());
}

/** What it found, by id and subject. */
async function found(text: string, args: string[] = [], mode?: number) {
  const { code, out, err } = await doctor(text, ['--json', ...args], mode);
  expect(err).toBe('');
  const findings = JSON.parse(out) as Finding[];
  for (const secret of SECRETS) expect(out).not.toContain(secret);
  for (const { status, fix } of findings) if (status === 'failed') expect(fix).toBeTruthy();
  const of = (id: string, subject?: string) =>
    findings.find((each) => each.id === id && (subject ?? each.subject) === each.subject);
  const failures = findings.filter(({ status }) => status === 'failed').map(({ id }) => id);
  return { code, findings, failures: [...new Set(failures)], of };
}

/** What is in Redis, and how many changes were made to it. */
async function stateOfRedis(): Promise<object> {
  const info = await redis.info('persistence');
  const content: Record<string, unknown> = {};
  for (const key of await redis.keys('*')) {
    const type = await redis.type(key);
    if (type === 'hash') content[key] = await redis.hgetall(key);
    else if (type === 'set') content[key] = (await redis.smembers(key)).sort();
    else content[key] = await redis.dump(key);
  }
  return { changes: /rdb_changes_since_last_save:(\d+)/.exec(info)?.[1], content };
}

/** A grant as vcs stores it. */
async function storeGrant(expiresInMs = 3_600_000): Promise<void> {
  const code = bitbucket.oauth.consent();
  const tokens = bitbucket.oauth.exchangeCode(code);
  const key = vcsKeys.grant('first-refresh-token');
  const grant = {
    accessToken: tokens.access_token,
    refreshToken: tokens.refresh_token,
    ...{ expiresAt: Date.now() + expiresInMs, lifetimeMs: 3_600_000, generation: 1 },
  };
  await redis.set(key, createGrantCipher('sandbox-secret').seal(key, JSON.stringify(grant)));
}

async function storeHook(): Promise<void> {
  const value = (text: string) => ({
    value: text,
    configurable: false,
    type: '',
    multiple_choice_list: null,
  });
  await createTaskStore({ redis }).put(
    {
      ...{ uuid: HOOK, type: 'RepoWebHook', method: 'POST' },
      config: {
        project: value('PROJ'),
        workflow: value('wf'),
        repoFullName: value('acme/web-shop'),
      },
    },
    Date.now(),
  );
}

function filesBelow(folder: string, name: RegExp): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => name.test(file) && !file.includes('.spec.'))
    .map((file) => readFileSync(join(folder, file), 'utf8'));
}

/** A webhook of the hook at Bitbucket. */
function atBitbucket(change: Partial<Webhook> = {}): void {
  const { webhooks } = bitbucket.repository('acme/web-shop');
  const hook = { url: `${PUBLIC}/webhook/${HOOK}`, active: true, events: ['repo:push'] };
  const uuid = `{${change.uuid ?? 'w'}}`;
  const said = { description: 'CDS webhook - x', secret: 's', createdAt: '' };
  webhooks.set(uuid, { ...hook, ...said, ...change, uuid });
}

/** An owner of the state of hooks, seen some time ago. */
async function ownedBy(key: string, token: string, seenMs = 0): Promise<void> {
  const owner = await stateOwnerOf({ url: api.url, token });
  await redis.hset(key, 'format', '1', `owner:${owner}`, String(Date.now() - seenMs));
}

describe('the rights that doctor asks about', () => {
  it('are those of every command in our scripts, and in those of BullMQ', () => {
    const root = join(__dirname, '..', '..', '..');
    const texts = [
      ...filesBelow(join(root, 'libs'), /\.lua\.ts$/),
      ...filesBelow(join(root, 'apps'), /\.ts$/),
      ...filesBelow(
        join(root, 'node_modules', 'bullmq', 'dist', 'cjs', 'scripts'),
        /^(?!relay).*\.js$/,
      ),
    ];
    const calls = texts.flatMap((text) => [
      ...text.matchAll(/(?:rcall|redis\.p?call)\(\s*["']([A-Za-z]+)["']/g),
    ]);
    const used = new Set(calls.map(([, name = '']) => name.toUpperCase()));
    expect(used.size).toBeGreaterThan(50);
    expect([...used].filter((name) => !NEEDED_COMMANDS.includes(name))).toEqual([]);
  });
});

describe('the certificate of the public URL', () => {
  it('is to be trusted, and there at all', async () => {
    const listener = createTlsServer({ key: TLS_KEY, cert: TLS_CERTIFICATE }).listen(
      0,
      '127.0.0.1',
    );
    await once(listener, 'listening');
    const { port } = listener.address() as AddressInfo;
    const check = (of: number) =>
      publicChecks({ key: 'k', prefix: `https://127.0.0.1:${of}/`, proxies: undefined })
        .find(({ id }) => id === 'public.tls')
        ?.run(AbortSignal.timeout(30_000));
    expect(await check(port)).toMatchObject({
      ...{ status: 'failed', message: expect.stringContaining('not to be trusted') },
    });
    listener.close();
    expect(await check(await freePort())).toMatchObject({ status: 'failed' });
  });

  it('lasts for some time, has not ended, and names the host', async () => {
    const folder = engine.folder();
    const ca = createTestCa(folder);
    const listeners = [
      ca.issue('valid', { days: 90 }),
      ca.issue('nearly', { days: 3 }),
      ca.issue('ended', { days: -1 }),
      ca.issue('other', { days: 90, names: ['DNS:other.example'] }),
    ].map(({ certFile, keyFile }) =>
      createTlsServer({ key: readFileSync(keyFile), cert: readFileSync(certFile) }).listen(
        ...([0, '127.0.0.1'] as const),
      ),
    );
    await Promise.all(listeners.map((listener) => once(listener, 'listening')));
    const ports = listeners.map((listener) => String((listener.address() as AddressInfo).port));
    const checking = await startProcess({
      command: process.execPath,
      args: [bundleProgram('apps/engine/test/check-certificates.ts'), ...ports],
      env: { PATH: process.env['PATH'], NODE_EXTRA_CA_CERTS: ca.caCertFile },
    });
    await checking.exited;
    listeners.forEach((listener) => listener.close());
    const found = checking.stdout().trim().split('\n');
    expect(found.map((line): unknown => JSON.parse(line))).toEqual([
      { status: 'ok', message: expect.stringMatching(/valid for (89|90) more days/) },
      { status: 'warning', message: expect.stringMatching(/for [23] more/), fix: 'renew it' },
      { status: 'failed', message: expect.stringMatching(/has ended/), fix: 'renew it' },
      {
        status: 'failed',
        message: expect.stringMatching(/127\.0\.0\.1 is not in .*other\.example/),
        fix: expect.stringMatching(/for this name/),
      },
    ]);
  });
});

describe('engine doctor', () => {
  beforeEach(async () => {
    bitbucket.repository('acme/web-shop').webhooks.clear();
    bitbucket.requests.clear();
    api.requests.clear();
    await storeHook();
  });

  it('finds a system that is as it should be, and changes nothing', async () => {
    await storeGrant();
    await ownedBy(KEYS.mark, SECRETS[0] ?? '');
    atBitbucket();
    const before = { redis: await stateOfRedis(), ...bitbucket.oauth.counts };

    const { code, failures, findings, of } = await found(configText(), [
      ...['--repository', 'acme/web-shop'],
    ]);

    expect({ code, failures }).toEqual({ code: 0, failures: [] });
    for (const [id, subject] of [
      ...[['config'], ['config.rights'], ['redis', 'vcs,hooks'], ['redis.version']],
      ...[['redis.persistence'], ['redis.eviction'], ['redis.writes'], ['redis.rights']],
      ...[['redis.latency'], ['redis.state', 'hooks'], ['redis.state', 'vcs']],
      ...[
        ['api', 'vcs'],
        ['api.generation', 'hooks'],
        ['service', 'vcs'],
        ['service', 'hooks'],
      ],
      ...[['bitbucket'], ['bitbucket.consumer'], ['bitbucket.grants'], ['bitbucket.grant']],
      ...[['bitbucket.budget'], ['public.answer'], ['webhook.task'], ['webhook', HOOK], ['clock']],
    ] as [string, string?][])
      expect([id, of(id, subject)?.status, of(id, subject)?.message]).toEqual([
        ...[id, expect.stringMatching(id === 'redis.latency' ? /ok|warning/ : /ok/)],
        expect.any(String),
      ]);
    // What cannot be told without signing in, and what is to be looked at.
    expect(findings.filter(({ status }) => status === 'skipped').map(({ id }) => id)).toEqual([
      ...['api.registration', 'api.registration'],
    ]);
    expect(of('webhook.delivery')?.message).toContain('no delivery yet');
    expect(of('public.tls')?.message).toContain('over http');

    const { redis: stored, refused, ...issued } = before;
    expect(await stateOfRedis()).toEqual(stored);
    expect(bitbucket.oauth.counts).toEqual({ ...issued, refused: refused + 1 });
    const asked = bitbucket.requests.entries().filter(({ method }) => method !== 'GET');
    expect(asked.map(({ template }) => template)).toEqual(['/site/oauth2/access_token']);
    expect(new Set(api.requests.entries().map(({ method }) => method))).toEqual(new Set(['GET']));
    expect(api.services()).toEqual([]);
    expect(bitbucket.repository('acme/web-shop').webhooks.size).toBe(1);
  });

  it('prints a line for each, what to do below it, and how many there were', async () => {
    lines = [{ status: 'AL', component: 'CDS API', value: 'hunter-free reason', type: '' }];
    const { code, out } = await doctor(configText(), [], 0o644);

    expect(code).toBe(1);
    expect(out).toContain('✔ redis vcs,hooks: 127.0.0.1:');
    expect(out).toMatch(
      /! config\.rights: every user of this machine may read .*\n {4}chmod o-rwx/,
    );
    expect(out).toMatch(/✘ service vcs: CDS API: hunter-free reason\n {4}the guide has a table/);
    expect(out).toMatch(/– api\.registration hooks: not known: .*\n/);
    expect(out).toMatch(/\n\d+ ok, \d+ to look at, 2 failed, \d+ not known\n$/);
    for (const secret of SECRETS) expect(out).not.toContain(secret);
  });

  it('goes no further than a configuration that is wrong', async () => {
    const { code, failures, of } = await found(configText().replace('clientId', 'clientIt'));
    expect({ code, failures }).toEqual({ code: 1, failures: ['config'] });
    expect(of('redis')?.message).toBe('not checked: config failed');
    const nowhere = await engine.call(['doctor', '--config', '/nowhere.toml', '--json']);
    expect(nowhere.code).toBe(1);
    const absent = (JSON.parse(nowhere.out) as Finding[]).filter(
      ({ status }) => status === 'failed',
    );
    expect(absent).toEqual([expect.objectContaining({ id: 'config' })]);
    expect(absent[0]?.message).toContain('there is no such file');
    expect((await engine.call(['doctor', '--repository', 'no-slash'])).code).toBe(2);
  });

  it('skips what needs a Redis that is away, or that takes another password', async () => {
    const port = await freePort();
    const away = await found(configText({ redisPort: port }), ['--repository', 'acme/web-shop']);
    expect(away.failures).toEqual(['redis']);
    expect(away.of('redis')?.fix).toContain('start Redis');
    expect(away.of('redis.writes')?.message).toBe('not checked: redis vcs,hooks failed');
    expect(away.of('bitbucket.grants')?.status).toBe('skipped');
    expect(away.of('bitbucket.consumer')?.status).toBe('ok');
    expect(away.of('webhook', 'acme/web-shop')?.status).toBe('skipped');

    const wrong = await found(configText().replaceAll('"redis-password"', '"another-password"'));
    expect(wrong.of('redis')).toMatchObject({ status: 'failed' });
    expect(wrong.of('redis')?.fix).toContain('correct the password');
  });

  it('tells settings, refused writes and rights of Redis', async () => {
    await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
    await redis.config('SET', 'appendonly', 'no');
    await redis.config('SET', 'min-replicas-to-write', '1');
    try {
      const { failures, of } = await found(configText());
      expect(failures).toEqual(['redis.writes']);
      expect(of('redis.writes')?.message).toContain('misses replicas');
      expect(of('redis.eviction')).toMatchObject({ status: 'warning' });
      expect(of('redis.persistence')?.fix).toContain('CONFIG SET appendonly yes');
    } finally {
      await redis.config('SET', 'maxmemory-policy', 'noeviction');
      await redis.config('SET', 'appendonly', 'yes');
      await redis.config('SET', 'min-replicas-to-write', '0');
    }
    await redis.call('ACL', 'SETUSER', 'default', '-config', '-info', '-zadd', '-scan');
    try {
      const { failures, of } = await found(configText());
      expect(failures).toEqual(['redis.rights']);
      expect(of('redis.rights')?.message).toContain('may not run ZADD, INFO on our keys');
      for (const id of ['redis.version', 'redis.persistence', 'redis.eviction', 'bitbucket.grants'])
        expect([id, of(id)?.status]).toEqual([id, 'skipped']);
      await redis.call('ACL', 'SETUSER', 'default', '-@scripting');
      expect((await found(configText())).of('redis.rights')?.message).toContain('no scripts');
    } finally {
      await redis.call('ACL', 'SETUSER', 'default', '+@all');
    }
  });

  it('is content with the user for each service that the guide lists, and not with the other', async () => {
    const guide = readFileSync(join(__dirname, '../../../docs/operator-guide.md'), 'utf8');
    const rules = [...guide.matchAll(/^ACL SETUSER (vcs|hooks) on >PASSWORD (.+)$/gm)];
    expect(rules).toHaveLength(2);
    for (const [, user = '', rights = ''] of rules)
      await redis.call('ACL', 'SETUSER', user, 'on', '>redis-password', ...rights.split(' '));

    const { findings } = await found(configText({ redisUser: (service) => service }));
    const ofRedis = findings.filter(({ id }) => /^redis\.(writes|rights|state)$/.test(id));
    expect(ofRedis.map(({ id, subject, status }) => [id, subject, status])).toEqual([
      ...['vcs', 'hooks'].flatMap((name) => [
        ['redis.writes', name, 'ok'],
        ['redis.rights', name, 'ok'],
      ]),
      ...[
        ['redis.state', 'vcs', 'ok'],
        ['redis.state', 'hooks', 'ok'],
      ],
    ]);

    const { of } = await found(configText({ redisUser: () => 'hooks' }));
    expect(of('redis.rights')).toMatchObject({
      status: 'failed',
      message: 'its user may not use our keys (cdsbb:vcs:*)',
      fix: expect.stringContaining('~cdsbb:vcs:*'),
    });
  });

  it('tells whose state is in Redis', async () => {
    await ownedBy(KEYS.mark, 'the token of another CDS');
    await ownedBy(vcsKeys.state, 'an earlier token', 3_600_000);
    const { of } = await found(configText());
    expect(of('redis.state', 'hooks')).toMatchObject({ status: 'failed' });
    expect(of('redis.state', 'vcs')?.fix).toContain('engine vcs adopt');
    await redis.hset(KEYS.mark, 'format', '2');
    expect((await found(configText())).of('redis.state', 'hooks')?.message).toContain('"2"');
  });

  it('tells what is wrong with API, consumer, grants and the public URL', async () => {
    await storeGrant();
    const token = 'x.y.z';
    const { failures, of } = await found(
      configText({ token, clientSecret: 'another-secret', urlPublic: 'http://10.1.2.3' }),
    );
    expect(failures).toEqual([
      ...['api.generation', 'bitbucket.consumer', 'bitbucket.grants', 'public.name'],
    ]);
    expect(of('api.generation')?.message).toContain('takes the shared.infra token');
    expect(of('bitbucket.grants')?.message).toContain('0 of 1 stored grants');
    expect(of('public.answer')?.status).toBe('skipped');

    const answer = (status: number, body: string, headers = {}) => ({
      kind: 'answer' as const,
      ...{ status, contentType: 'application/json', body, headers },
    });
    const narrow = '{"access_token":"of-the-consumer","scope":"account webhook"}';
    bitbucket.faults.order({ fault: answer(200, narrow), path: 'access_token' });
    const told = { 'x-oauth-scopes': 'account, pullrequest:write' };
    bitbucket.faults.order({ fault: answer(200, '{}', told), path: '/user' });
    const scopes = await found(configText());
    expect(scopes.failures).toEqual(['bitbucket.consumer', 'bitbucket.grant']);
    expect(scopes.of('bitbucket.consumer')?.message).toMatch(/repository:write, pullrequest:write/);
    expect(scopes.of('bitbucket.grant')?.message).toBe('a grant lacks the scope webhook');

    await storeGrant(-1);
    expect((await found(configText())).of('bitbucket.grant')?.message).toContain('has expired');
    await storeGrant();
    bitbucket.revokeGrants();
    const noApi = await found(configText({ apiUrl: bitbucket.url }));
    expect(noApi.failures).toEqual(['api', 'bitbucket.grant']);
    expect(noApi.of('api')?.message).toContain('no API of CDS');
  });

  it.each<[string, () => void, RegExp]>([
    ['is missing', () => undefined, /not at Bitbucket/],
    [
      'calls another URL',
      () => atBitbucket({ url: `http://old.example.com/webhook/${HOOK}` }),
      /calls http:\/\/old/,
    ],
    ['is not active', () => atBitbucket({ active: false }), /not active/],
    [
      'sends no pushes',
      () => atBitbucket({ events: ['pullrequest:created'] }),
      /does not send repo:push/,
    ],
  ])('tells that a webhook %s', async (_, arrange, message) => {
    await storeGrant();
    arrange();
    const { failures, of } = await found(configText(), ['--repository', 'ACME/web-shop']);
    expect(failures).toEqual(['webhook']);
    expect(of('webhook', HOOK)?.message).toMatch(message);
  });

  it('tells what the last delivery came to, and what else calls us', async () => {
    await storeGrant();
    atBitbucket();
    atBitbucket({ uuid: 'x', url: `${PUBLIC}/webhook/11111111-56b8-4ba6-9e6b-0f0b6f2a4d11` });
    await createRefusalStore({ redis }).add(HOOK, {
      ...{ at: Date.now(), request_id: 'r', request_uuid: '', event: 'repo:push', address: 'x' },
      ...{ reason: 'unauthentic', status: 401, error: 'not authenticated', left_out: 0 },
    });
    const { failures, of } = await found(configText(), ['--repository', 'acme/web-shop']);
    expect(failures).toEqual(['webhook.delivery']);
    expect(of('webhook.delivery', HOOK)?.fix).toBe(`engine hooks why ${HOOK}`);
    expect(of('webhook', '11111111-56b8-4ba6-9e6b-0f0b6f2a4d11')?.status).toBe('warning');
    const other = await found(configText(), ['--repository', 'acme/other']);
    expect(other.failures).toEqual(['webhook.task']);
  });
});
