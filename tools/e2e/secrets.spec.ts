import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { waitFor, takesTime } from '@cds/testing';
import { webhookSecret } from '@cds/webhook-signature';
import { createSecretSearch, type Leak } from './secret-search.fixture';
import {
  bundle,
  callVcs,
  createWorkflow,
  PROJECT,
  REPO,
  runsOf,
  startStack,
  type Replica,
  type Stack,
} from './stack.fixture';

/** Awkward in JSON, in URLs and in headers. */
const CONFIGURED = {
  'api.token': 'canary "api" token/+%=&',
  clientSecret: 'canary-client/secret+%=&"x"',
  webhookKey: 'canary webhook "key" /+%',
  'previousWebhookKeys, first': 'canary previous key one',
  'previousWebhookKeys, second': 'canary previous "key" two',
  'the password of Redis': 'canary-redis-pass/+word',
};
/** What strangers and callers send, and what must not be kept of it. */
const SENT = {
  'Authorization of a plain webhook': 'canary-authorization-of-a-sender',
  'Cookie of a plain webhook': 'canary-cookie-of-a-sender',
  'X_AUTH_HEADER that is wrong': 'canary-wrong-auth-header',
  'body of a forged delivery': 'canary-in-a-forged-body',
  'body for an unknown hook': 'canary-in-a-body-for-nobody',
  'query of a refused delivery': 'canary-in-a-refused-query',
  'body that is no JSON': 'canary-in-malformed-json',
};

let stack: Stack;
let hooks: Replica;
let vcs: Replica;
const replicas: Replica[] = [];
const secrets = new Map<string, string>(Object.entries({ ...CONFIGURED, ...SENT }));
/** What anybody was answered, by where. */
const answers: { where: string; text: string }[] = [];

beforeAll(async () => {
  stack = await startStack({
    api: { cds: '0.41', sharedInfraToken: CONFIGURED['api.token'] },
    bitbucket: { consumer: { clientSecret: CONFIGURED.clientSecret } },
    redisPassword: CONFIGURED['the password of Redis'],
    branchDeletionDelaySeconds: 1,
  });
  rememberTokens();
  await startServices();
  await playEverything();
});
afterAll(() => stack?.stop());

/** Every code and token that Bitbucket issues. */
function rememberTokens(): void {
  const { oauth } = stack.bitbucket;
  const { exchangeCode, refresh, consent } = oauth;
  let count = 0;
  const remember = (answer: ReturnType<typeof refresh>) => {
    count += 1;
    secrets.set(`access token ${count}`, answer.access_token);
    secrets.set(`refresh token ${count}`, answer.refresh_token);
    return answer;
  };
  oauth.exchangeCode = (code) => remember(exchangeCode(code));
  oauth.refresh = (token) => remember(refresh(token));
  oauth.consent = () => {
    const code = consent();
    secrets.set(`code ${++count}`, code);
    return code;
  };
}

const environment = () => ({
  CDS_LOG_LEVEL: 'debug',
  CDS_VCS_WEBHOOKKEY: CONFIGURED.webhookKey,
  CDS_HOOKS_WEBHOOKKEY: CONFIGURED.webhookKey,
  CDS_HOOKS_PREVIOUSWEBHOOKKEYS: [
    CONFIGURED['previousWebhookKeys, first'],
    CONFIGURED['previousWebhookKeys, second'],
  ].join(),
  CDS_HOOKS_RETRYDELAY: '1',
});

async function startServices(): Promise<void> {
  ({ vcs, hooks } = await stack.startLinked(environment()));
  replicas.push(vcs, hooks);
  rememberHashes();
}

/**
 * The hashes by which the API and its services know each other, and the secrets of all webhooks.
 */
function rememberHashes(): void {
  for (const { hash, name } of stack.api.services())
    secrets.set(`hash of ${name} ${hash[0]}`, hash);
  for (const { url } of stack.bitbucket.repository(REPO).webhooks.values()) {
    const uuid = url.split('/').at(-1) ?? '';
    for (const [name, key] of Object.entries(CONFIGURED))
      if (/key/i.test(name)) secrets.set(`secret of ${uuid} by ${name}`, webhookSecret(key, uuid));
  }
}

async function get(url: string, init?: RequestInit): Promise<number> {
  const answer = await fetch(url, init);
  answers.push({
    where: `answer to ${init?.method ?? 'GET'} ${new URL(url).pathname}`,
    text: `${JSON.stringify([...answer.headers])}\n${await answer.text()}`,
  });
  return answer.status;
}

/** As the API asks; what it is refused is an answer too. */
async function ask(what: string, work: Promise<unknown>): Promise<unknown> {
  const answer = await work.catch((error: unknown) => error);
  answers.push({
    where: `answer to the API: ${what}`,
    text:
      answer instanceof Error
        ? `${answer.message}${JSON.stringify(answer)}`
        : JSON.stringify(answer ?? ''),
  });
  return answer;
}

const branches = () => ask('branches', callVcs(stack, 'GET', `/repos/${REPO}/branches`));

async function push(branch: string): Promise<unknown> {
  const pushed = await stack.bitbucket.push({ repo: REPO, branch });
  const [delivery] = await pushed.delivered;
  return delivery?.attempts.at(-1)?.outcome;
}

async function monitor(): Promise<void> {
  for (const { url } of [vcs, hooks]) {
    for (const page of ['status', 'metrics', 'version']) await get(`${url}/mon/${page}`);
  }
  await ask('tasks', stack.api.tasks());
  for (const { uuid } of await stack.api.tasks())
    await ask('executions', stack.api.callHooks('GET', `/task/${uuid}/execution`));
}

async function playEverything(): Promise<void> {
  await createWorkflow(stack, 'w');
  const plain = await stack.api.workflows.createWebhookWorkflow({
    project: PROJECT,
    name: 'plain',
  });
  const plainUrl = plain.hook.config['webHookURL']?.value ?? '';
  const [pushUrl = ''] = [...stack.bitbucket.repository(REPO).webhooks.values()].map(
    ({ url }) => url,
  );
  rememberHashes();

  await push('one');
  await runsOf(stack, 'w', 1);
  await (
    await stack.bitbucket.deleteBranch({ repo: REPO, branch: 'one' })
  ).delivered;
  await get(`${plainUrl}?q=1`, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${SENT['Authorization of a plain webhook']}`,
      Cookie: `session=${SENT['Cookie of a plain webhook']}`,
      'Content-Type': 'application/json',
    },
    body: '{"a":1}',
  });
  await runsOf(stack, 'plain', 1);
  await monitor();

  await refusals(plainUrl, pushUrl);
  await faultsOfBitbucket();
  await faultsOfTheApi();
  await faultsOfRedis();
  rememberHashes();
  await commands(pushUrl.split('/').at(-1) ?? '');
  await monitor();
  await Promise.all([vcs.stop(), hooks.stop()]);
}

async function refusals(plainUrl: string, pushUrl: string): Promise<void> {
  const forged = {
    'X-Event-Key': 'repo:push',
    'X-Hub-Signature': `sha256=${'0'.repeat(64)}`,
  };
  const of = (body: string, headers = {}) => ({ method: 'POST', body, headers });
  const json = { 'Content-Type': 'application/json' };
  expect(await get(pushUrl, of(`{"push":"${SENT['body of a forged delivery']}"}`, forged))).toBe(
    401,
  );
  expect(await get(`${hooks.url}/webhook/nobody`, of(SENT['body for an unknown hook']))).toBe(404);
  expect(await get(`${plainUrl}?t=${SENT['query of a refused delivery']}&x=%`, of(''))).toBe(400);
  const broken = `{"a":${SENT['body that is no JSON']}`;
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
  expect(await get(plainUrl, of(`${broken}%`, form))).toBe(400);
  for (const { url } of [vcs, hooks]) {
    const path = url === vcs.url ? '/vcs/bitbucketcloud/repos' : '/task/bulk';
    const wrong = base64(SENT['X_AUTH_HEADER that is wrong']);
    expect(await get(url + path, { headers: { X_AUTH_HEADER: wrong } })).toBe(401);
    // A caller who is let in, and whose body and tokens are wrong.
    const { hash } = stack.api.services().find((one) => one.url === url) ?? { hash: '' };
    const right = { X_AUTH_HEADER: base64(hash), ...json };
    await get(url + path, { ...of(broken, right) });
    const { accessToken } = stack.api.vcsLink(PROJECT);
    await get(`${vcs.url}/vcs/bitbucketcloud/repos/${REPO}/branches`, {
      headers: { ...right, 'X-CDS-ACCESS-TOKEN': accessToken, 'X-CDS-ACCESS-TOKEN-SECRET': '%%%' },
    });
  }
}

async function faultsOfBitbucket(): Promise<void> {
  const { faults } = stack.bitbucket;
  const { accessToken, refreshToken } = stack.api.vcsLink(PROJECT);
  // A proxy that shows what it was sent, and a Bitbucket that quotes it. The client's secret goes
  // to the OAuth server alone.
  const tokens = `${accessToken} ${refreshToken}`;
  const basic = Buffer.from(
    `${stack.bitbucket.consumer.clientId}:${CONFIGURED.clientSecret}`,
  ).toString('base64');
  for (const status of [400, 403, 404, 500, 503]) {
    const body = `<html><title>${status}</title>Authorization: Bearer ${accessToken}</html>`;
    faults.order({ fault: { kind: 'answer', status, body }, count: 1, path: '/refs/' });
    await branches();
    const error = JSON.stringify({
      type: 'error',
      error: { message: `bad: ${tokens}`, detail: tokens },
    });
    faults.order({
      fault: { kind: 'answer', status, contentType: 'application/json', body: error },
      count: 1,
      path: '/refs/',
    });
    await branches();
  }
  faults.clear();
  faults.order({
    fault: { kind: 'answer', status: 200, body: `{"values":"${accessToken}"` },
    path: '/refs/',
  });
  await branches();
  faults.order({ fault: { kind: 'drop' }, count: 2 });
  await branches();
  faults.clear();
  stack.bitbucket.setRateLimit({
    requestsPerHour: 0,
    retryAfter: { form: 'seconds', seconds: 3_000 },
  });
  await branches();
  stack.bitbucket.setRateLimit({ requestsPerHour: 100_000 });

  stack.bitbucket.expireAccessTokens();
  await branches();
  // The refresh is refused, in words that quote what was sent.
  stack.bitbucket.expireAccessTokens();
  const refused = JSON.stringify({
    error: 'invalid_grant',
    error_description: `no: ${tokens} ${CONFIGURED.clientSecret} ${basic}`,
  });
  faults.order({
    fault: { kind: 'answer', status: 400, contentType: 'application/json', body: refused },
    count: 1,
    path: 'access_token',
  });
  await branches();
  faults.clear();
  stack.bitbucket.revokeGrants();
  await branches();
  await ask(
    'link again',
    stack.api.linkProject(PROJECT).then(() => 'linked'),
  );
  await branches();
}

async function faultsOfTheApi(): Promise<void> {
  const { faults } = stack.api;
  // As an API that quotes what it was sent.
  const { hash } = stack.api.services().find(({ type }) => type === 'hooks') ?? { hash: '' };
  const quoting = JSON.stringify({
    id: 1,
    message: `no ${CONFIGURED['api.token']} ${hash} ${base64(hash)}`,
    data: null,
    uuid: 'a0f8b3f6-6d0f-4c0e-8f0f-1f3c6a2f7d11',
  });
  for (const [status, path] of [
    [500, '/runs$'],
    [401, '/runs$'],
    [400, '/services/'],
    [500, '/services/'],
  ] as const) {
    const fault = {
      kind: 'answer',
      status,
      contentType: 'application/json',
      body: quoting,
    } as const;
    faults.order({ fault, count: 1, path });
  }
  await push('api-500');
  await push('api-401');
  await takesTime(1_500);
  stack.api.forgetServices();
  await push('forgotten');
  await waitFor(() => stack.api.services().length >= 1);
  rememberHashes();
  await stack.api.away();
  await push('away');
  await monitorOpen();
  await stack.api.back();
  faults.clear();
  await waitFor(() => stack.api.services().length >= 2);
  rememberHashes();
  await runsOf(stack, 'w', 4);
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

const monitorOpen = async () => {
  for (const { url } of [vcs, hooks]) await get(`${url}/mon/status`);
};

async function faultsOfRedis(): Promise<void> {
  await takesTime(1_200);
  await stack.redis.kill();
  await push('no-redis');
  stack.bitbucket.expireAccessTokens();
  await branches();
  await monitorOpen();
  await stack.redis.start();
  await waitFor(async () => (await push('redis-again')) === 200);
  await branches();
}

/** What operators run. */
async function commands(uuid: string): Promise<void> {
  const q = (text: string) => JSON.stringify(text);
  const lines = (broken = '') => `
[log]
  level = "debug"
[vcs]
  name = "vcs"
  URL = "http://localhost:8084"
  webhookKey = ${q(CONFIGURED.webhookKey)}${broken}
  [vcs.api]
    token = ${q(CONFIGURED['api.token'])}
    [vcs.api.http]
      url = ${q(stack.api.url)}
  [vcs.cache.redis]
    host = "127.0.0.1:${stack.redis.port}"
    password = ${q(CONFIGURED['the password of Redis'])}
  [vcs.servers.bitbucketcloud.bitbucketcloud]
    clientId = "c"
    clientSecret = ${q(CONFIGURED.clientSecret)}
[hooks]
  name = "hooks"
  URL = "http://localhost:8083"
  urlPublic = "http://localhost:8083"
  previousWebhookKeys = [${q(CONFIGURED['previousWebhookKeys, first'])}, ${q(CONFIGURED['previousWebhookKeys, second'])}]
  webhookKey = ${q(CONFIGURED.webhookKey)}
  [hooks.api]
    token = ${q(CONFIGURED['api.token'])}
    [hooks.api.http]
      url = ${q(stack.api.url)}
  [hooks.cache.redis]
    host = "127.0.0.1:${stack.redis.port}"
    password = ${q(CONFIGURED['the password of Redis'])}
`;
  const good = stack.writeFile('good.toml', lines());
  const syntax = stack.writeFile('syntax.toml', lines(' and more'));
  const keys = stack.writeFile(
    'keys.toml',
    lines()
      .replace(/token = /g, 'tokn = ')
      .replace(/clientSecret = (.*)/, 'clientSecret = [$1]')
      .replace(/password = (.*)/g, 'password = {a = $1}')
      .replace(/previousWebhookKeys = (.*)/, 'previousWebhookKeys = $1\n  port = $1'),
  );
  for (const args of [
    ['config', 'check', good],
    ['config', 'check', syntax],
    ['config', 'check', keys],
    ['hooks', 'dead-letters', 'list', '--config', good],
    ['hooks', 'dead-letters', 'list', '--config', keys],
    ['hooks', 'signature', 'reset', uuid, '--yes', '--config', good],
    ['start', 'vcs', 'hooks', '--config', keys],
    ['start', 'vcs', '--config', syntax],
  ]) {
    const running = await stack.run([bundle('engine'), ...args]);
    await running.exited;
    const where = `engine ${args.join(' ').replaceAll(/\/\S+\//g, '')}`;
    answers.push({ where, text: running.stdout() + running.stderr() });
  }
  // The one place that prints a secret: that of the webhook it was asked for, and nothing else.
  const shown = await stack.run([bundle('engine'), 'vcs', 'webhook', uuid, '--config', good]);
  await shown.exited;
  const secret = webhookSecret(CONFIGURED.webhookKey, uuid);
  if (!shown.stdout().includes(secret)) throw new Error(shown.stderr());
  answers.push({
    where: 'engine vcs webhook',
    text: shown.stdout().replace(secret, '') + shown.stderr(),
  });
}

function expectNoLeak(places: { where: string; text: string | Buffer }[]): void {
  const searchIn = createSecretSearch(secrets);
  const leaks: Leak[] = places.flatMap(({ where, text }) => searchIn(where, text));
  expect(leaks).toEqual([]);
}

it('was a story worth searching', () => {
  const log = replicas.map(({ process }) => process.stdout()).join('\n');
  expect(log).toMatch(/"level":"debug"/);
  expect(log).toMatch(/"level":"warning"/);
  expect(secrets.size).toBeGreaterThan(25);
  expect(answers.length).toBeGreaterThan(60);
  expect(log).toContain('a run was not started');
  expect(log).toContain('Redis does not store it');
  expect(stack.api.runs(PROJECT, 'w').length).toBeGreaterThan(3);
});

it('leaves no secret in what the services print', () => {
  expectNoLeak(
    replicas.flatMap(({ name, process }) => [
      { where: `${name}, stdout`, text: process.stdout() },
      { where: `${name}, stderr`, text: process.stderr() },
    ]),
  );
});

it('leaves no secret in what anybody is answered, nor in what operators are shown', () => {
  expectNoLeak(answers);
  expectNoLeak(
    stack.bitbucket
      .deliveries()
      .flatMap(({ attempts }) =>
        attempts.map(({ answer }) => ({ where: 'answer to Bitbucket', text: answer })),
      ),
  );
});

it('leaves no secret in registrations and heartbeats, in the addresses of calls, nor in runs', () => {
  const { api, bitbucket } = stack;
  expectNoLeak([
    ...api.services().map(({ registration: { hash: _hash, ...registration }, name }) => ({
      where: `registration of ${name}`,
      text: JSON.stringify(registration),
    })),
    { where: 'addresses at the API', text: addresses(api.requests.entries()) },
    { where: 'addresses at Bitbucket', text: addresses(bitbucket.requests.entries()) },
    { where: 'addresses at services', text: addresses(api.calls()) },
    { where: 'runs', text: JSON.stringify([api.runs(PROJECT, 'w'), api.runs(PROJECT, 'plain')]) },
  ]);
});

/** The user's browser carries the code and comes back with it: that is how it is meant. */
function addresses(requests: { url: string }[]): string {
  return requests.map(({ url }) => (url.includes('/oauth2/callback') ? '' : url)).join('\n');
}

it('leaves no secret in Redis nor in its file: tokens only encrypted', async () => {
  const redis = new Redis({
    port: stack.redis.port,
    password: CONFIGURED['the password of Redis'],
  });
  try {
    const keys = await redis.keys('*');
    expect(keys.filter((key) => key.startsWith('cdsbb:vcs:')).length).toBeGreaterThan(0);
    expect(keys.filter((key) => key.startsWith('cdsbb:hooks:')).length).toBeGreaterThan(5);
    const places: { where: string; text: string | Buffer }[] = [
      { where: 'the names of keys', text: keys.join('\n') },
    ];
    for (const key of keys) places.push({ where: key, text: await everythingIn(redis, key) });
    const [, folder = ''] = (await redis.config('GET', 'dir')) as string[];
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((file) =>
      file.isFile(),
    );
    expect(files.some(({ name }) => name.includes('.aof'))).toBe(true);
    for (const file of files) {
      const text = readFileSync(join(file.parentPath, file.name));
      places.push({ where: `the file ${file.name}`, text });
    }
    expectNoLeak(places);
  } finally {
    redis.disconnect();
  }
});

/** All fields and members of a key, whatever its type is, and base64 within them decoded. */
async function everythingIn(redis: Redis, key: string): Promise<string> {
  const read: Record<string, () => Promise<unknown>> = {
    string: () => redis.get(key),
    hash: () => redis.hgetall(key),
    list: () => redis.lrange(key, 0, -1),
    set: () => redis.smembers(key),
    zset: () => redis.zrange(key, '0', '-1', 'WITHSCORES'),
    stream: () => redis.xrange(key, '-', '+'),
  };
  const type = await redis.type(key);
  // Its time-to-live ended since the keys were listed.
  if (type === 'none') return '';
  const reader = read[type];
  if (!reader) throw new Error(`${key} is of the type ${type}, which this test cannot read`);
  return JSON.stringify(await reader());
}
