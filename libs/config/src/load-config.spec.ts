import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeShared } from '@cds/testing';
import { FILLED_IN, fullConfig } from '../test/full-config.fixture';
import {
  checkConfigText,
  ConfigError,
  loadConfig,
  readConfigFile,
  publicConfig,
  type ConfigProblem,
} from './index';

const BOTH = ['vcs', 'hooks'] as const;
const MINIMAL_ENV = {
  CDS_VCS_NAME: 'v',
  CDS_VCS_API_TOKEN: 'the-token',
  CDS_VCS_SERVERS_BITBUCKETCLOUD_BITBUCKETCLOUD_CLIENTID: 'id',
  CDS_VCS_SERVERS_BITBUCKETCLOUD_BITBUCKETCLOUD_CLIENTSECRET: 'secret',
};

const MINIMAL = `
[vcs]
name = "v"
[vcs.api]
token = "the-token"
[vcs.servers.bitbucketcloud.bitbucketcloud]
clientId = "id"
clientSecret = "secret"
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cds-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function fileWith(text: string): string {
  const file = join(folder, 'config.toml');
  writeFileSync(file, text);
  return file;
}

function load(
  text: string,
  env: NodeJS.ProcessEnv = {},
  services: readonly ('vcs' | 'hooks')[] = ['vcs'],
) {
  return loadConfig({ services, files: [fileWith(text)], env });
}

/** What is said of a configuration that cannot be used. */
function problemsOf(work: () => unknown): ConfigProblem[] {
  try {
    work();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  throw new Error('expected a ConfigError');
}

const errors = (problems: ConfigProblem[]) => problems.filter(({ level }) => level === 'error');
const keys = (problems: ConfigProblem[]) => problems.map(({ key }) => key);

describe('loadConfig', () => {
  it('starts from defaults and the environment alone', () => {
    const { vcs, warnings } = loadConfig({ services: ['vcs'], env: MINIMAL_ENV });

    expect(warnings).toEqual([]);
    expect(vcs).toEqual({
      name: 'v',
      url: 'http://localhost:8084',
      http: { addr: '', port: 8084, stopDelaySeconds: 0 },
      api: {
        url: 'http://localhost:8081',
        insecure: false,
        token: 'the-token',
        requestTimeoutSeconds: 10,
        maxHeartbeatFailures: 10,
      },
      redis: {
        password: '',
        address: { kind: 'single', host: 'localhost', port: 6379 },
        database: 0,
        keyPrefix: '',
      },
      log: { level: 'info' },
      uiUrl: 'http://localhost:4200',
      webhookKey: 'the-token',
      servers: [
        {
          name: 'bitbucketcloud',
          url: 'https://bitbucket.org',
          clientId: 'id',
          clientSecret: 'secret',
          apiUrl: 'https://api.bitbucket.org/2.0',
          oauthUrl: 'https://bitbucket.org/site/oauth2',
          disableWebHooks: false,
          disableWebHooksCreation: false,
          proxyWebhook: '',
          polling: false,
          callsPerHour: 1000,
          status: { disable: false, showDetail: false },
        },
      ],
    });
  });

  it('takes the file over defaults and the environment over the file', () => {
    const text = `${MINIMAL}
[vcs.http]
addr = "127.0.0.1"
port = 1111
[log]
level = "warning"
[vcs.cache.redis]
host = "in-file:1"
password = "p"`;
    const { vcs } = load(text, {
      CDS_VCS_HTTP_PORT: '2222',
      CDS_VCS_CACHE_REDIS_HOST: 'in-env:2',
      CDS_VCS_API_HTTP_INSECURE: 'TRUE',
      CDS_LOG_LEVEL: 'debug',
      CDS_VCS_NAME: '',
      CDS_VCS_API_TOKEN: 'enter sharedInfraToken from section [api.auth] here',
    });

    expect(vcs).toMatchObject({
      name: 'v',
      http: { addr: '127.0.0.1', port: 2222 },
      redis: { password: 'p', address: { host: 'in-env', port: 2 } },
      api: { insecure: true, token: 'the-token' },
      log: { level: 'debug' },
    });
  });

  it('reads everything of hooks, seconds as they are written', () => {
    const { hooks } = load(
      `[hooks]
name = "h"
URL = "http://hooks.example:8083/"
urlPublic = "https://public.example/cds/"
disable = true
executionHistory = 5
retryDelay = 7
retryError = 2
branchDeletion.delay = 60
reconcile.interval = 900
api.token = "t"`,
      {},
      ['hooks'],
    );

    expect(hooks).toMatchObject({
      url: 'http://hooks.example:8083',
      urlPublic: 'https://public.example/cds',
      disable: true,
      executionHistory: 5,
      retryDelaySeconds: 7,
      retryError: 2,
      branchDeletion: { delaySeconds: 60 },
      reconcile: { intervalSeconds: 900 },
    });
  });

  it('matches keys and variables without regard to case', () => {
    const { vcs } = load(
      `[VCS]
NAME = "v"
url = "http://a:1"
[Vcs.Api]
Token = "t"
[vcs.SERVERS.MyCloud.BitBucketCloud]
CLIENTID = "id"
clientsecret = "secret"
STATUS = { ShowDetail = true }`,
      { cds_vcs_http_port: '3333' },
    );

    expect(vcs).toMatchObject({
      url: 'http://a:1',
      http: { port: 3333 },
      servers: [{ name: 'mycloud', clientId: 'id', status: { showDetail: true } }],
    });
  });

  it('calls a server as CDS does, in lower case', () => {
    const { vcs } = load(MINIMAL.replace('servers.bitbucketcloud', 'servers.BitbucketCloud'), {
      CDS_VCS_SERVERS_BITBUCKETCLOUD_BITBUCKETCLOUD_CLIENTID: 'id-of-env',
    });

    expect(vcs?.servers).toMatchObject([{ name: 'bitbucketcloud', clientId: 'id-of-env' }]);
  });

  it('reads several servers, from file and environment', () => {
    const { vcs } = load(
      `${MINIMAL}
[vcs.servers.second-one]
url = "https://bb.example"
[vcs.servers.second-one.bitbucket_cloud]
clientId = "id2"
proxyWebhook = "https://proxy.example/"
callsPerHour = 0
[vcs.servers.second-one.bitbucket_cloud.Status]
disable = true`,
      {
        CDS_VCS_SERVERS_SECOND_ONE_BITBUCKETCLOUD_CLIENTSECRET: 'secret2',
        CDS_VCS_SERVERS_BITBUCKETCLOUD_BITBUCKET_CLOUD_CLIENTID: 'id-of-env',
        CDS_VCS_SERVERS_BITBUCKETCLOUD_BITBUCKETCLOUD_STATUS_SHOWDETAIL: '1',
        CDS_VCS_SERVERS_THIRD_BITBUCKET_CLOUD_CLIENTID: 'id3',
        CDS_VCS_SERVERS_THIRD_BITBUCKETCLOUD_CLIENTSECRET: 'secret3',
        CDS_VCS_SERVERS_THIRD_BITBUCKETCLOUD_CALLSPERHOUR: '5000',
        CDS_VCS_SERVERS_THIRD_URL: 'https://third.example',
      },
    );

    expect(vcs?.servers).toMatchObject([
      { name: 'bitbucketcloud', clientId: 'id-of-env', status: { showDetail: true } },
      {
        name: 'second-one',
        url: 'https://bb.example',
        clientId: 'id2',
        clientSecret: 'secret2',
        proxyWebhook: 'https://proxy.example',
        callsPerHour: 0,
        status: { disable: true },
      },
      {
        name: 'third',
        url: 'https://third.example',
        clientId: 'id3',
        clientSecret: 'secret3',
        callsPerHour: 5000,
      },
    ]);
  });

  it.each([
    ['redis.example', { kind: 'single', host: 'redis.example', port: 6379 }],
    ['redis.example:1', { kind: 'single', host: 'redis.example', port: 1 }],
    ['[::1]:6380', { kind: 'single', host: '::1', port: 6380 }],
    [
      'mymaster@s1:26379,s2:26380, s3',
      {
        kind: 'sentinel',
        name: 'mymaster',
        sentinels: [
          { host: 's1', port: 26_379 },
          { host: 's2', port: 26_380 },
          { host: 's3', port: 26_379 },
        ],
      },
    ],
  ])('understands the Redis host %s', (host, address) => {
    expect(load(MINIMAL, { CDS_VCS_CACHE_REDIS_HOST: host }).vcs?.redis.address).toEqual(address);
  });

  it('takes a database and a key prefix for one Redis as for Sentinel', () => {
    const sentinel = 'host = "m@s1:26379,s2:26379"\ndbindex = 15\nkeyPrefix = "acme:"';
    const file = `${MINIMAL}[vcs.cache.redis]\n${sentinel}`;
    expect(load(file).vcs?.redis).toMatchObject({ database: 15, keyPrefix: 'acme:' });
    const env = { CDS_VCS_CACHE_REDIS_DBINDEX: '2', CDS_VCS_CACHE_REDIS_KEYPREFIX: 'b/' };
    expect(load(MINIMAL, env).vcs?.redis).toMatchObject({ database: 2, keyPrefix: 'b/' });
  });

  it.each([
    ['dbindex = -1', 'dbindex', /from 0 to/],
    ['dbindex = "1"', 'dbindex', /whole number/],
    ['keyPrefix = "a b"', 'keyPrefix', /letters, digits and \. _ : \/ -/],
    ['keyPrefix = "all*"', 'keyPrefix', /at most 64/],
    ['keyPrefix = "é"', 'keyPrefix', /at most 64/],
    [`keyPrefix = "${'a'.repeat(65)}"`, 'keyPrefix', /at most 64/],
    ['keyPrefix = "a\\nb"', 'keyPrefix', /at most 64/],
    ['keyPrefix = "a:\\n"', 'keyPrefix', /at most 64/],
  ])('refuses %s', (line, key, message) => {
    const [problem] = problemsOf(() => load(`${MINIMAL}[vcs.cache.redis]\n${line}`));

    expect(problem).toMatchObject({ key: `vcs.cache.redis.${key}`, level: 'error' });
    expect(problem?.message).toMatch(message);
  });

  it.each([
    'name@one:26379',
    'a:1,b:2',
    'redis://:secret@host,:1',
    'host:0',
    'host:65536',
    'm@a:1,b:x',
  ])('refuses the Redis host %s without repeating it', (host) => {
    const [problem] = problemsOf(() => load(`${MINIMAL}[vcs.cache.redis]\nhost = "${host}"`));

    expect(problem).toMatchObject({ key: 'vcs.cache.redis.host', line: 10, level: 'error' });
    expect(problem?.message).toContain('name@sentinel1:26379,sentinel2:26379');
    expect(problem?.message).not.toContain('secret');
  });

  it('says which file it cannot read', () => {
    const [problem] = problemsOf(() =>
      loadConfig({ services: ['vcs'], files: ['/no/such/file'], env: {} }),
    );

    expect(problem?.message).toBe(
      'cannot read the configuration file /no/such/file: there is no such file',
    );
    expect(() => readConfigFile(tmpdir())).toThrow('it is a folder');
  });
});

describe('a configuration that is wrong', () => {
  it('names all that is missing at once, with the variable that would do', () => {
    const problems = problemsOf(() => loadConfig({ services: BOTH, env: {} }));

    expect(keys(errors(problems))).toEqual([
      'vcs.name',
      'vcs.api.token',
      'vcs.servers',
      'hooks.name',
      'hooks.api.token',
    ]);
    // Without a token there is no key, either.
    expect(keys(problems)).not.toContain('hooks.webhookKey');
    expect(problems[0]?.message).toMatch(/^is missing: fill it in, or set CDS_VCS_NAME\./);
    expect(problems[2]?.message).toContain('[vcs.servers.bitbucketcloud.bitbucketcloud]');
  });

  it('names every wrong value with its line and what would be right', () => {
    const problems = checkConfigText(`[hooks]
name = ""
URL = "localhost:8083"
urlPublic = "ftp://x"
disable = "false"
executionHistory = -1
retryDelay = "120"
retryError = 1.5
[hooks.api]
token = "xxxxx"
requestTimeout = 0
[hooks.api.http]
url = ""
[hooks.http]
port = 70000
addr = "127.0.0.1:80"
[hooks.cache]
redis = 3
[hooks.branchDeletion]
delay = -5`);

    expect(errors(problems).map(({ line, key }) => [line, key])).toEqual([
      [2, 'hooks.name'],
      [3, 'hooks.URL'],
      [4, 'hooks.urlPublic'],
      [5, 'hooks.disable'],
      [6, 'hooks.executionHistory'],
      [7, 'hooks.retryDelay'],
      [8, 'hooks.retryError'],
      [10, 'hooks.api.token'],
      [11, 'hooks.api.requestTimeout'],
      [13, 'hooks.api.http.url'],
      [15, 'hooks.http.port'],
      [16, 'hooks.http.addr'],
      [18, 'hooks.cache.redis'],
      [20, 'hooks.branchDeletion.delay'],
    ]);
    const said = (key: string) => problems.find((problem) => problem.key === key)?.message;
    expect(said('hooks.retryDelay')).toBe(
      'must be a whole number from 1 to 86400; it is a text in quotes',
    );
    expect(said('hooks.disable')).toBe(
      'must be true or false, without quotes; it is a text in quotes',
    );
    expect(said('hooks.http.port')).toBe('must be a whole number from 1 to 65535; it is 70000');
    expect(said('hooks.URL')).toMatch(/^must be an absolute http:\/\/ or https:\/\/ URL/);
    expect(said('hooks.cache.redis')).toBe('must be a table: write [hooks.cache.redis]');
  });

  it('names all that is wrong beside a number that is too large, and leaves those of others alone', () => {
    const problems = errors(
      checkConfigText(`[api]
size = 9223372036854775807
[hooks]
name = 9223372036854775807
retryError = 9223372036854775807
retryDelay = 1.5
[hooks.api]
token = "t"`),
    );

    expect(problems.map(({ line, key, message }) => [line, key, message])).toEqual([
      [4, 'hooks.name', 'must be a text in quotes; it is a number'],
      [5, 'hooks.retryError', 'must be a whole number from 1 to 10000; it is 9223372036854775807'],
      [6, 'hooks.retryDelay', 'must be a whole number from 1 to 86400; it is 1.5'],
    ]);
  });

  it('names the variable that is wrong', () => {
    const problems = problemsOf(() =>
      loadConfig({
        services: ['vcs'],
        env: {
          ...MINIMAL_ENV,
          CDS_VCS_HTTP_PORT: 'eighty',
          CDS_VCS_API_REQUESTTIMEOUT: '-1',
          CDS_VCS_URL: 'http://user:hunter2@host',
          CDS_VCS_SERVERS_BITBUCKETCLOUD_BITBUCKETCLOUD_DISABLEWEBHOOKS: 'maybe',
        },
      }),
    );

    expect(keys(problems).sort()).toEqual([
      'CDS_VCS_API_REQUESTTIMEOUT',
      'CDS_VCS_HTTP_PORT',
      'CDS_VCS_SERVERS_BITBUCKETCLOUD_BITBUCKETCLOUD_DISABLEWEBHOOKS',
      'CDS_VCS_URL',
    ]);
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  });

  it('refuses a client without its secret, and a vcs without any client', () => {
    const half = MINIMAL.replace('clientSecret = "secret"', 'clientSecret = "xxxxx"');
    expect(errors(problemsOf(() => load(half)))).toMatchObject([
      { key: 'vcs.servers.bitbucketcloud.bitbucketcloud.clientSecret', line: 8 },
    ]);

    const none = half.replace('clientId = "id"', 'clientId = "XXXX"');
    expect(keys(errors(problemsOf(() => load(none))))).toEqual([
      'vcs.servers.bitbucketcloud.bitbucketcloud.clientId',
      'vcs.servers.bitbucketcloud.bitbucketcloud.clientSecret',
    ]);
  });

  it('says where TOML cannot be read, without quoting the secret that stands there', () => {
    const [problem, ...others] = checkConfigText('[vcs.api]\ntoken = "hunter2\nname = "x"\n');

    expect(others).toEqual([]);
    expect(problem).toMatchObject({ line: 2, level: 'error', key: '' });
    expect(problem?.message).toMatch(/^column \d+: this is not TOML: /);
    expect(problem?.message).not.toContain('hunter2');
  });

  it('refuses a key that stands there twice in different cases', () => {
    const problems = errors(problemsOf(() => load(`${MINIMAL}[vcs.http]\nport = 1\nPORT = 2`)));

    expect(problems).toMatchObject([{ key: 'vcs.http.PORT', line: 11 }]);
  });

  it('refuses a file that has nothing for us, unless none of our services is to start', () => {
    expect(checkConfigText('[api]\nname = "x"')).toMatchObject([{ level: 'error' }]);
    expect(load('[api]\nname = "x"', {}, [])).toEqual({ warnings: [] });
  });
});

describe('what is unknown', () => {
  it('is a warning that names the nearest known key', () => {
    const { warnings } = load(
      `${MINIMAL}prxyWebhook = "https://p.example"
[vcs.htpp]
port = 1
[vcs.api.http]
insecur = true
[vcs.servers.bitbucketcloud]
uri = "https://x"
[hook]
name = "h"
[log]
levle = "debug"
level = "chatty"`,
      { CDS_VCS_API_TOKN: 'x', CDS_VCS_SERVICE_HOST: '10.0.0.1', CDS_VCS_PORT: 'tcp://10.0.0.1' },
    );

    expect(
      warnings.map(({ line, key, message }) => [line, key, message.split(' ').at(-1)]),
    ).toEqual([
      [9, 'vcs.servers.bitbucketcloud.bitbucketcloud.prxyWebhook', 'proxyWebhook'],
      [10, 'vcs.htpp', 'http'],
      [13, 'vcs.api.http.insecur', 'insecure'],
      [15, 'vcs.servers.bitbucketcloud.uri', 'url'],
      [16, 'hook', '[hooks]?'],
      [19, 'log.levle', 'level'],
      [20, 'log.level', '"info"'],
      [undefined, 'CDS_VCS_API_TOKN', 'CDS_VCS_API_TOKEN'],
    ]);
  });

  it('is not looked for in the sections of other services', () => {
    const { warnings } = load(
      `${MINIMAL}
[hooks]
URL = 3
nonsense = true
[hatchery.local]
vcs = "x"`,
      { CDS_API_WHATEVER: 'x', CDS_HOOKS_WHATEVER: 'y', CDS_ENGINE: '/bin/engine' },
    );

    expect(warnings).toEqual([]);
  });

  it('does not complain of what CDS knows and nothing here uses', () => {
    const { warnings } = load(`${MINIMAL}
[vcs.api.grpc]
url = "x"
insecure = "whatever"
[vcs.cache]
ttl = "sixty"
[log.graylog]
host = "graylog.example"
[tracing]
enable = true`);

    expect(warnings).toEqual([]);
  });
});

describe('VCS servers of other kinds', () => {
  it.each([
    ['github', 'clientId = "real"', 'GitHub'],
    ['gitlab', 'secret = "real"', 'GitLab'],
    ['bitbucket', 'privateKey = "real"', 'Bitbucket Server'],
    ['gerrit', 'Reviewer = { token = "real" }', 'Gerrit'],
  ])('are refused when filled in: %s', (kind, line, name) => {
    const problems = errors(
      problemsOf(() => load(`${MINIMAL}[vcs.servers.Other.${kind}]\n${line}`)),
    );

    expect(problems).toMatchObject([{ key: `vcs.servers.Other.${kind}`, line: 9 }]);
    expect(problems[0]?.message).toContain(`filled in for ${name}`);
    expect(problems[0]?.message).toContain('Bitbucket Cloud only');
    expect(problems[0]?.message).not.toContain('real');
  });

  it('are refused when filled in through the environment, and only then', () => {
    const printed = {
      ...MINIMAL_ENV,
      CDS_VCS_SERVERS_GITHUB_GITHUB_APIURL: 'https://api.github.com',
      CDS_VCS_SERVERS_GITHUB_GITHUB_CLIENTID: 'xxxxx',
      CDS_VCS_SERVERS_GITHUB_GITHUB_DISABLEWEBHOOKS: 'false',
      CDS_VCS_SERVERS_GITHUB_URL: 'https://github.com',
      CDS_VCS_SERVERS_GERRIT_GERRIT_SSHPORT: '29418',
      CDS_VCS_SERVERS_BITBUCKETCLOUD_GITHUB: '',
    };
    expect(loadConfig({ services: ['vcs'], env: printed }).warnings).toEqual([]);

    const filledIn = { ...printed, CDS_VCS_SERVERS_GITHUB_GITHUB_CLIENTID: 'real' };
    expect(problemsOf(() => loadConfig({ services: ['vcs'], env: filledIn }))).toMatchObject([
      { key: 'CDS_VCS_SERVERS_GITHUB_GITHUB_CLIENTID', level: 'error' },
    ]);
  });
});

describe('a whole configuration as CDS prints it', () => {
  it('starts both services once its placeholders are filled', () => {
    const { vcs, hooks, warnings } = load(fullConfig(FILLED_IN), {}, BOTH);

    expect(vcs).toMatchObject({
      name: 'cds-vcs',
      uiUrl: 'http://localhost:2015',
      servers: [{ name: 'bitbucketcloud', url: 'https://bitbucket.org', clientId: 'a-client' }],
    });
    expect(hooks).toMatchObject({ name: 'cds-hooks', urlPublic: 'http://localhost:8083' });
    expect(keys(warnings)).toEqual(['hooks.urlPublic']);
  });

  it('is not enough as it is printed, and no placeholder is taken for a value', () => {
    expect(keys(errors(checkConfigText(fullConfig({}))))).toEqual(
      [
        'hooks.name',
        'hooks.api.token',
        'vcs.name',
        'vcs.api.token',
        'vcs.servers.bitbucketcloud.bitbucket_cloud.clientId',
        'vcs.servers.bitbucketcloud.bitbucket_cloud.clientSecret',
      ].map((key) => expect.stringMatching(new RegExp(`^${key.replaceAll('.', '\\.')}$`, 'i'))),
    );
  });

  it('takes the documented key beside the printed one', () => {
    const text = `${fullConfig({ ...FILLED_IN, clientId: 'xxxxx', clientSecret: 'xxxxx' })}
[vcs.servers.bitbucketcloud.bitbucketcloud]
clientId = "documented"
clientSecret = "s"`;

    expect(load(text).vcs?.servers).toMatchObject([{ clientId: 'documented' }]);
    const twice = text.replace('"xxxxx"\n        clientSecret', '"printed"\n        clientSecret');
    expect(
      problemsOf(() => load(twice.replace(/clientId = "xxxxx"/g, 'clientId = "y"')))[0],
    ).toMatchObject({
      level: 'error',
    });
  });

  it('ignores the example of a proxy that CDS exports, with a warning, and takes it from a file', () => {
    const { vcs, warnings } = load(MINIMAL, {
      CDS_VCS_SERVERS_BITBUCKETCLOUD_BITBUCKETCLOUD_PROXYWEBHOOK: 'https://myproxy.com',
    });
    expect(vcs?.servers[0]?.proxyWebhook).toBe('');
    expect(warnings).toMatchObject([{ message: expect.stringContaining('example') }]);

    const fromFile = load(`${MINIMAL}proxyWebhook = "https://myproxy.com/"`);
    expect(fromFile.vcs?.servers[0]?.proxyWebhook).toBe('https://myproxy.com');
    expect(fromFile.warnings).toEqual([]);
  });
});

describe('publicConfig', () => {
  it('has the shape of what CDS registers and no secret', () => {
    const { vcs, hooks } = load(
      fullConfig(FILLED_IN).replaceAll('password = ""', 'password = "nobody-may-see"'),
      {},
      BOTH,
    );
    if (!vcs || !hooks) throw new Error('both were asked for');

    expect(publicConfig('vcs', vcs)).toMatchObject({
      UI: { http: { url: 'http://localhost:2015' } },
      api: {
        grpc: { insecure: false, url: 'http://localhost:8082' },
        http: { insecure: false, url: 'http://localhost:8081' },
        maxHeartbeatFailures: 10,
        requestTimeout: 10,
      },
      cache: { redis: { host: 'localhost:6379' }, ttl: 60 },
      http: { addr: '', port: 8084 },
      name: 'cds-vcs',
      servers: { bitbucketcloud: { url: 'https://bitbucket.org' } },
      url: 'http://localhost:8084',
    });
    expect(publicConfig('hooks', hooks)).toMatchObject({
      disable: false,
      executionHistory: 10,
      retryDelay: 120,
      retryError: 3,
      urlPublic: 'http://localhost:8083',
    });
    expect(JSON.stringify([publicConfig('vcs', vcs), publicConfig('hooks', hooks)])).not.toMatch(
      /nobody-may-see|a-client/,
    );
  });
});

describeShared("the configuration that CDS's own engine printed", (root) => {
  const read = (name: string) => readFileSync(join(root, 'contract', name), 'utf8');

  it('starts both services once its placeholders are filled', () => {
    const text =
      `${read('config-new-vcs.toml')}\n${read('config-new-hooks.toml').split('[log]')[0] ?? ''}`
        .replace(/^ *name = ""/m, 'name = "another"')
        .replaceAll(/^ *name = ""/gm, 'name = "mine"')
        .replaceAll(/"enter sharedInfraToken[^"]*"/g, '"the-token"')
        .replace(/(bitbucket_cloud\][^]*?)"xxxxx"([^]*?)"xxxxx"/, '$1"id"$2"secret"');

    const { vcs, hooks, warnings } = load(text, {}, BOTH);

    expect(vcs?.servers).toMatchObject([{ clientId: 'id', clientSecret: 'secret' }]);
    expect(hooks?.name).toBe('mine');
    expect(keys(warnings)).toEqual(['hooks.urlPublic']);
  });

  it('starts both services from its environment once its placeholders are filled', () => {
    const lines = `${read('config-new-vcs.env')}\n${read('config-new-hooks.env')}`;
    const printed = Object.fromEntries(
      [...lines.matchAll(/^export ([A-Z_]+)="(.*)"$/gm)].map(([, name, value]) => [name, value]),
    );
    const env = {
      ...printed,
      ...MINIMAL_ENV,
      CDS_HOOKS_NAME: 'h',
      CDS_HOOKS_API_TOKEN: 'the-token',
    };

    const { vcs, warnings } = loadConfig({ services: BOTH, env });

    expect(vcs?.servers).toMatchObject([{ name: 'bitbucketcloud', proxyWebhook: '' }]);
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringContaining('printed example'),
      expect.stringContaining('is empty'),
    ]);
  });

  it('has the shape of what was registered', () => {
    const exchanges = JSON.parse(read('services-to-api.json')) as {
      request: { url: string; body: { type: 'vcs' | 'hooks'; config: Record<string, unknown> } };
    }[];
    const { vcs, hooks } = loadConfig({
      services: BOTH,
      env: {
        ...MINIMAL_ENV,
        CDS_VCS_NAME: 'cds-vcs',
        CDS_HOOKS_NAME: 'cds-hooks',
        CDS_HOOKS_API_TOKEN: 't',
      },
    });
    const recorded = (type: string) =>
      exchanges.find(
        ({ request }) => request.url === '/services/register' && request.body.type === type,
      )?.request.body.config;

    expect(vcs && publicConfig('vcs', vcs)).toMatchObject(recorded('vcs') ?? {});
    expect(hooks && publicConfig('hooks', hooks)).toMatchObject(recorded('hooks') ?? {});
    expect(Object.keys(recorded('vcs') ?? {})).toHaveLength(7);
  });
});
