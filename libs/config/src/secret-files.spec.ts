import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SECRET_VARIABLES } from './sources/secret-variables';
import {
  checkConfigText,
  type ConfigProblem,
  ConfigError,
  loadConfig,
  secretValues,
} from './index';

const SERVER = 'CDS_VCS_SERVERS_BITBUCKETCLOUD_BITBUCKETCLOUD';
const ENV = {
  CDS_VCS_NAME: 'v',
  CDS_VCS_API_TOKEN: 'the-token',
  [`${SERVER}_CLIENTID`]: 'id',
  [`${SERVER}_CLIENTSECRET`]: 'the-client-secret',
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cds-secrets-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function secretFile(name: string, contents: string | Buffer): string {
  const file = join(folder, name);
  writeFileSync(file, contents);
  return file;
}

/** `ENV` with a file in place of `variable`. */
function withFile(variable: string, file: string): NodeJS.ProcessEnv {
  return { ...ENV, [variable]: undefined, [`${variable}_FILE`]: file };
}

function problemsWith(env: NodeJS.ProcessEnv): ConfigProblem[] {
  try {
    return loadConfig({ services: ['vcs'], env }).warnings;
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe('a secret in a file', () => {
  it('is read without the line break at its end, and named for who watches it', () => {
    const file = secretFile('token', 'the-token\r\n');

    const { vcs, warnings } = loadConfig({
      services: ['vcs'],
      env: withFile('CDS_VCS_API_TOKEN', file),
    });

    expect(warnings).toEqual([]);
    expect(vcs?.api.token).toBe('the-token');
    expect(vcs?.secretFiles).toEqual([{ variable: 'CDS_VCS_API_TOKEN', file, value: 'the-token' }]);
  });

  it('counts for every secret key of both services, and before the file of the configuration', () => {
    const variables = [...SECRET_VARIABLES.vcs, ...SECRET_VARIABLES.hooks];
    // Where Redis is has a form, which is checked; a URL may hold its password.
    const valueOf = (name: string) => (name.endsWith('_REDIS_HOST') ? 'm@one,two' : `of ${name}`);
    const env = Object.fromEntries(
      variables.map((name) => [`${name}_FILE`, secretFile(name, `${valueOf(name)}\n`)]),
    );
    const toml = join(folder, 'cds.toml');
    writeFileSync(
      toml,
      `[vcs]\nname = "v"\n[vcs.api]\ntoken = "other"\n[vcs.servers.bitbucketcloud.bitbucketcloud]\nclientId = "id"\n[hooks]\nname = "h"\n`,
    );

    const { vcs, hooks } = loadConfig({
      services: ['vcs', 'hooks'],
      files: [toml],
      env: {
        ...env,
        // A token of its own for cleanups has a form, and a passphrase a key: both are checked.
        CDS_HOOKS_BRANCHDELETION_TOKEN_FILE: '',
        CDS_VCS_CACHE_REDIS_TLSKEYPASSPHRASE_FILE: '',
        CDS_HOOKS_CACHE_REDIS_TLSKEYPASSPHRASE_FILE: '',
      },
    });

    expect(variables).toEqual(
      expect.arrayContaining([
        ...['CDS_VCS_API_TOKEN', 'CDS_VCS_WEBHOOKKEY', 'CDS_VCS_CACHE_REDIS_PASSWORD'],
        ...['CDS_HOOKS_PREVIOUSWEBHOOKKEYS', 'CDS_HOOKS_BRANCHDELETION_TOKEN'],
        `${SERVER}_CLIENTSECRET`,
      ]),
    );
    expect(vcs?.api.token).toBe('of CDS_VCS_API_TOKEN');
    expect(vcs?.redis.password).toBe('of CDS_VCS_CACHE_REDIS_PASSWORD');
    expect(vcs?.redis.sentinel?.password).toBe('of CDS_VCS_CACHE_REDIS_SENTINELPASSWORD');
    expect(vcs?.servers[0]?.clientSecret).toBe(`of ${SERVER}_CLIENTSECRET`);
    expect(hooks?.webhookKeys).toEqual([
      'of CDS_HOOKS_WEBHOOKKEY',
      'of CDS_HOOKS_PREVIOUSWEBHOOKKEYS',
    ]);
    expect(vcs?.secretFiles).toHaveLength(SECRET_VARIABLES.vcs.length - 1);
    expect(hooks?.secretFiles).toHaveLength(SECRET_VARIABLES.hooks.length - 2);
  });

  it('is among the secrets to keep out of what is printed, whichever key it is of', () => {
    const variables = [...SECRET_VARIABLES.vcs, ...SECRET_VARIABLES.hooks];
    const hosts = variables.filter((name) => name.endsWith('_REDIS_HOST'));
    const others = variables.filter((name) => !hosts.includes(name));
    const env = {
      ...{ CDS_VCS_NAME: 'v', CDS_HOOKS_NAME: 'h', [`${SERVER}_CLIENTID`]: 'id' },
      ...Object.fromEntries(others.map((name) => [name, `of ${name}`])),
      ...Object.fromEntries(hosts.map((name) => [name, `redis://u:in%20${name}@redis:6379`])),
    };
    const found = secretValues({ services: ['vcs', 'hooks'], env });

    expect(hosts).toHaveLength(2);
    expect(found).toEqual(expect.arrayContaining(others.map((name) => `of ${name}`)));
    expect(found).toEqual(expect.arrayContaining(hosts.map((name) => `in ${name}`)));
    const plain = { ...env, ...Object.fromEntries(hosts.map((name) => [name, 'redis:6379'])) };
    expect(secretValues({ services: ['vcs'], env: plain })).not.toContain('redis:6379');
  });

  it('counts for servers of any name, which it may be all that is said of', () => {
    const of = 'CDS_VCS_SERVERS_MY_TEAM_BITBUCKET_CLOUD';
    const { vcs, warnings } = loadConfig({
      services: ['vcs'],
      env: {
        ...{ CDS_VCS_NAME: 'v', CDS_VCS_API_TOKEN: 't', [`${of}_CLIENTID`]: 'id' },
        [`${of.toLowerCase()}_clientsecret_file`]: secretFile('team', 'a secret'),
      },
    });

    expect(warnings).toEqual([]);
    expect(vcs?.servers).toEqual([
      expect.objectContaining({ name: 'my_team', clientSecret: 'a secret' }),
    ]);
  });

  it('may stand behind links, as Kubernetes mounts it', () => {
    mkdirSync(join(folder, '..first'));
    writeFileSync(join(folder, '..first', 'mounted'), 'a secret');
    symlinkSync('..first', join(folder, '..data'));
    symlinkSync('..data/mounted', join(folder, 'mounted'));

    const env = withFile('CDS_VCS_API_TOKEN', join(folder, 'mounted'));
    expect(loadConfig({ services: ['vcs'], env }).vcs?.api.token).toBe('a secret');
  });

  it.each<[string, () => string, RegExp]>([
    ['missing', () => join(folder, 'nowhere'), /does not exist/],
    ['below a file', () => join(secretFile('file', 'x'), 'token'), /no folder/],
    ['a folder', () => folder, /names a folder/],
    ['empty', () => secretFile('empty', ''), /is empty/],
    ['a line break alone', () => secretFile('line', '\n'), /is empty/],
    ['a placeholder', () => secretFile('placeholder', 'xxxxx\n'), /placeholder/],
    ['too large', () => secretFile('large', 'x'.repeat(70_000)), /more than 65536 bytes/],
    ['without an end', () => '/dev/zero', /no regular file/],
    ['the secret itself', () => 'a-secret-'.repeat(500), /path that is too long/],
    ['in another encoding', () => secretFile('latin1', Buffer.from([0xe9, 0x21])), /not UTF-8/],
    ['of two lines', () => secretFile('two', 'one\ntwo\n'), /control character/],
  ])('that is %s is refused under the name of its variable', (_how, file, message) => {
    const problems = problemsWith(withFile('CDS_VCS_API_TOKEN', file()));

    expect(problems).toEqual([
      {
        key: 'CDS_VCS_API_TOKEN_FILE',
        level: 'error',
        message: expect.stringMatching(message) as string,
      },
    ]);
    expect(JSON.stringify(problems)).not.toContain('a-secret-');
  });

  it('that is a pipe is refused, and not waited for', () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect(problemsWith(withFile('CDS_VCS_API_TOKEN', pipe))).toEqual([
      expect.objectContaining({ message: expect.stringContaining('no regular file') as string }),
    ]);
  });

  it('is refused beside the secret itself, even where both are the same', () => {
    const file = secretFile('both', 'the-token');
    expect(problemsWith({ ...ENV, CDS_VCS_API_TOKEN_FILE: file })).toEqual([
      {
        key: 'CDS_VCS_API_TOKEN_FILE',
        level: 'error',
        message: 'is given beside CDS_VCS_API_TOKEN: keep one of the two',
      },
    ]);
  });

  it('is none of a key that is no secret, and none of another service', () => {
    const file = join(folder, 'nowhere');
    const problems = problemsWith({
      ...ENV,
      ...{ CDS_VCS_HTTP_PORT_FILE: file, CDS_HOOKS_API_TOKEN_FILE: file },
    });
    expect(problems).toEqual([
      {
        key: 'CDS_VCS_HTTP_PORT_FILE',
        level: 'warning',
        message: 'is ignored: only secrets are read from files; set CDS_VCS_HTTP_PORT itself',
      },
    ]);
  });

  it('is checked with the environment, and not without it', () => {
    const toml = '[vcs]\nname = "v"\n[vcs.servers.s.bitbucketcloud]\nclientId = "id"\n';
    const env = {
      CDS_VCS_API_TOKEN_FILE: secretFile('checked', 'the-token\n'),
      CDS_VCS_SERVERS_S_BITBUCKETCLOUD_CLIENTSECRET_FILE: join(folder, 'nowhere'),
    };
    expect(checkConfigText(toml, { env }).map(({ key }) => key)).toEqual([
      'CDS_VCS_SERVERS_S_BITBUCKETCLOUD_CLIENTSECRET_FILE',
    ]);
    expect(checkConfigText(toml).map(({ key }) => key)).toEqual(
      expect.arrayContaining(['vcs.api.token']),
    );
  });
});
