import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeShared } from '@cds/testing';
import { parse } from 'smol-toml';
import {
  checkConfigText,
  configReference,
  KNOWN_CDS_VERSIONS,
  loadConfig,
  printConfig,
  printEnv,
} from './index';

const ROOT = join(__dirname, '..', '..', '..');
const BOTH = ['vcs', 'hooks'] as const;

/** Every key of a TOML document, in lower case, with its value. */
function leaves(document: object, path: string[] = []): Map<string, unknown> {
  const found = new Map<string, unknown>();
  for (const [name, value] of Object.entries(document)) {
    const here = [...path, name.toLowerCase()];
    if (typeof value === 'object' && value !== null)
      for (const [key, leaf] of leaves(value, here)) found.set(key, leaf);
    else found.set(here.join('.'), value);
  }
  return found;
}

/** What a person does with the printed file. */
function fillIn(text: string): string {
  return text
    .replace(/^name = ""$/m, 'name = "another"')
    .replaceAll(/^name = ""$/gm, 'name = "mine"')
    .replaceAll(/"enter sharedInfraToken[^"]*"/g, '"the-token"')
    .replaceAll('"xxxxx"', '"filled-in"');
}

/** What a shell makes of the printed lines. */
function environmentOf(lines: string): NodeJS.ProcessEnv {
  const script = `${lines}\nexec env -0`;
  const output = execFileSync('sh', ['-c', script], { env: {}, encoding: 'utf8' });
  return Object.fromEntries(
    output
      .split('\0')
      .filter((line) => line.startsWith('CDS_'))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

describe('printConfig', () => {
  it('prints every key of the documentation with its default', () => {
    const printed = leaves(parse(printConfig({ services: BOTH, cds: '0.41' })));

    expect(Object.fromEntries(printed)).toMatchObject({
      'vcs.url': 'http://localhost:8084',
      'vcs.name': '',
      'vcs.ui.http.url': 'http://localhost:4200',
      'vcs.api.maxheartbeatfailures': 10,
      'vcs.api.requesttimeout': 10,
      'vcs.api.token': 'enter sharedInfraToken from section [api.auth] here',
      'vcs.api.grpc.url': 'http://localhost:8082',
      'vcs.api.http.url': 'http://localhost:8081',
      'vcs.api.http.insecure': false,
      'vcs.cache.ttl': 60,
      'vcs.cache.redis.host': 'localhost:6379',
      'vcs.cache.redis.password': '',
      'vcs.http.addr': '',
      'vcs.http.port': 8084,
      'vcs.servers.bitbucketcloud.url': 'https://bitbucket.org',
      'vcs.servers.bitbucketcloud.bitbucketcloud.clientid': 'xxxxx',
      'vcs.servers.bitbucketcloud.bitbucketcloud.clientsecret': 'xxxxx',
      'vcs.servers.bitbucketcloud.bitbucketcloud.apiurl': 'https://api.bitbucket.org/2.0',
      'vcs.servers.bitbucketcloud.bitbucketcloud.oauthurl': 'https://bitbucket.org/site/oauth2',
      'vcs.servers.bitbucketcloud.bitbucketcloud.disablewebhooks': false,
      'vcs.servers.bitbucketcloud.bitbucketcloud.disablewebhookscreation': false,
      'vcs.servers.bitbucketcloud.bitbucketcloud.status.disable': false,
      'vcs.servers.bitbucketcloud.bitbucketcloud.status.showdetail': false,
      'hooks.url': 'http://localhost:8083',
      'hooks.urlpublic': '',
      'hooks.name': '',
      'hooks.disable': false,
      'hooks.executionhistory': 10,
      'hooks.retrydelay': 120,
      'hooks.retryerror': 3,
      'hooks.http.port': 8083,
      'hooks.branchdeletion.delay': 86_400,
      'hooks.cache.redis.host': 'localhost:6379',
      'log.level': 'info',
      'log.graylog.port': 0,
    });
    expect(printed.has('vcs.servers.bitbucketcloud.bitbucketcloud.proxywebhook')).toBe(false);
    expect(printConfig({ services: ['vcs'], cds: '0.41' })).toMatch(
      /^# proxyWebhook = "https:\/\/myproxy.com"$/m,
    );
  });

  it('prints a file that starts both services once names, token and client are filled in, with the defaults', () => {
    const text = fillIn(printConfig({ services: BOTH, cds: '0.43' }));

    expect(checkConfigText(text).filter(({ level }) => level === 'error')).toEqual([]);
    expect(checkConfigText(text).map(({ key }) => key)).toEqual(['hooks.urlPublic']);
  });

  it('prints only what is asked for', () => {
    expect(Object.keys(parse(printConfig({ services: ['hooks'] })))).toEqual(['hooks', 'log']);
    expect(Object.keys(parse(printConfig({ services: ['vcs'], omitLog: true })))).toEqual(['vcs']);
  });

  it('prints one token for all, whatever characters it has', () => {
    const token = 'a"b\\c\n$d`e';
    const values = { 'vcs.api.token': token, 'hooks.api.token': token };
    const document = parse(printConfig({ services: BOTH, values }));
    const env = environmentOf(printEnv({ services: BOTH, values }));

    expect(leaves(document).get('vcs.api.token')).toBe(token);
    expect(leaves(document).get('hooks.api.token')).toBe(token);
    expect(leaves(document).get('hooks.branchdeletion.token')).toBe('');
    expect(env.CDS_VCS_API_TOKEN).toBe(token);
    expect(env.CDS_HOOKS_API_TOKEN).toBe(token);
  });
});

describe('printEnv', () => {
  it('prints lines that start both services once names, token and client are filled in', () => {
    const lines = printEnv({ services: BOTH, cds: '0.41' })
      .replaceAll(/"enter sharedInfraToken[^"]*"/g, '"the-token"')
      .replace('VCS_NAME=""', 'VCS_NAME="another"')
      .replaceAll('_NAME=""', '_NAME="mine"')
      .replaceAll('"xxxxx"', '"filled-in"');

    const fromEnv = loadConfig({ services: BOTH, env: environmentOf(lines) });

    expect(fromEnv.vcs?.servers).toMatchObject([{ name: 'bitbucketcloud', clientId: 'filled-in' }]);
    expect(fromEnv.hooks).toMatchObject({ name: 'mine', http: { port: 8083 } });
    expect(lines.split('\n').filter((line) => line !== '')).toEqual(
      expect.arrayContaining([
        'export CDS_HOOKS_BRANCHDELETION_DELAY="86400"',
        'export CDS_VCS_SERVERS_BITBUCKETCLOUD_BITBUCKETCLOUD_STATUS_SHOWDETAIL="false"',
      ]),
    );
    expect(lines).toMatch(/^(export CDS_[A-Z_]+="[^"]*"\n)+$/);
  });
});

describe('configReference', () => {
  it('is docs/configuration.md', () => {
    const guide = readFileSync(join(ROOT, 'docs', 'configuration.md'), 'utf8');

    // When this fails:
    // npx tsx --tsconfig tsconfig.base.json tools/build/update-config-reference.mts
    expect(guide).toBe(configReference());
  });

  it('is formatted as oxfmt formats Markdown', () => {
    const oxfmt = join(ROOT, 'node_modules', '.bin', 'oxfmt');
    const formatted = execFileSync(oxfmt, ['--stdin-filepath', 'guide.md'], {
      cwd: ROOT,
      input: configReference(),
      encoding: 'utf8',
    });

    expect(configReference()).toBe(formatted);
  });

  it('has every key and every variable that is printed', () => {
    const names = KNOWN_CDS_VERSIONS.flatMap(
      (cds) => printEnv({ services: BOTH, cds }).match(/CDS_[A-Z_]+/g) ?? [],
    );

    expect(new Set(names).size).toBeGreaterThan(60);
    const described = ['VCS', 'HOOKS'].flatMap((service) =>
      configReference().replaceAll('`CDS_SERVICE_', `\`CDS_${service}_`),
    );
    for (const name of new Set(names))
      expect(described.find((text) => text.includes(`\`${name}\``)) && name).toBe(name);
  });
});

describeShared("the output of CDS's own engine", (root) => {
  const read = (name: string) => readFileSync(join(root, 'contract', name), 'utf8');
  const isOurs = (key: string) => !/servers\.(bitbucket|gerrit|github|gitlab)\./.test(key);

  it.each(BOTH)('has no key of %s that we do not print', (service) => {
    const theirs = leaves(
      parse(read(`config-new-${service}.toml`).replaceAll('bitbucket_cloud', 'bitbucketcloud')),
    );
    const ours = leaves(parse(printConfig({ services: [service], cds: '0.41' })));

    for (const key of [...theirs.keys()].filter(isOurs)) expect(ours.has(key) && key).toBe(key);
  });

  it.each(BOTH)('has no variable of %s that we do not print', (service) => {
    const names = (text: string) => text.match(/^export [A-Z_]+/gm) ?? [];
    const ours = names(printEnv({ services: [service], cds: '0.41' }));
    const theirs = names(read(`config-new-${service}.env`)).filter(
      (name) =>
        !/SERVERS_(BITBUCKET|GERRIT|GITHUB|GITLAB)_/.test(name) &&
        !/BITBUCKETCLOUD_(BITBUCKET|GERRIT|GITHUB|GITLAB)$/.test(name),
    );

    expect(theirs.length).toBeGreaterThan(15);
    expect(ours).toEqual(expect.arrayContaining(theirs));
  });
});
