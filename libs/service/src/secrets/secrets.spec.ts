import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '@cds/config';
import { captureLogger, waitFor } from '@cds/testing';
import { CONSUMER_TOKEN } from '../../test/sign-in-api';
import { takeSecrets } from './take-secrets';
import { watchSecretFiles } from './watch-secret-files';

const KEY = 'the-webhook-key-of-32-characters';
const NEW_TOKEN = `${CONSUMER_TOKEN}new`;
const SERVER = 'CDS_VCS_SERVERS_S_BITBUCKETCLOUD';

let folder: string;
let ends: (() => void)[] = [];
let versions = 0;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cds-mounted-'));
});
afterEach(() => {
  ends.forEach((end) => end());
  ends = [];
  rmSync(folder, { recursive: true });
});

/** Mounts all secrets anew, as Kubernetes does: another folder behind the same link. */
function mount(secrets: Record<string, string>): void {
  const version = `..version-${++versions}`;
  mkdirSync(join(folder, version));
  for (const [name, value] of Object.entries(secrets))
    writeFileSync(join(folder, version, name), `${value}\n`);
  symlinkSync(version, join(folder, '..data_tmp'));
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
}

/** A `vcs` whose secrets are all mounted. */
function startVcs(secrets: Record<string, string>) {
  mount(secrets);
  const files = Object.keys(secrets).map((name) => {
    symlinkSync(join('..data', name), join(folder, name));
    return [`${name}_FILE`, join(folder, name)] as const;
  });
  const { vcs: config } = loadConfig({
    services: ['vcs'],
    env: {
      CDS_VCS_NAME: 'v',
      CDS_VCS_CACHE_REDIS_HOST: 'cds@127.0.0.1:26379,127.0.0.2:26379',
      [`${SERVER}_CLIENTID`]: 'id',
      ...Object.fromEntries(files),
    },
  });
  if (!config) throw new Error('no configuration');
  const { logger, lines } = captureLogger();
  ends.push(
    watchSecretFiles({
      ...{ files: config.secretFiles ?? [], logger, intervalMs: 5 },
      take: takeSecrets({ service: 'vcs', config, webhookKey: config.webhookKey }),
    }),
  );
  return { config, lines };
}

const OLD = {
  CDS_VCS_API_TOKEN: CONSUMER_TOKEN,
  CDS_VCS_WEBHOOKKEY: KEY,
  CDS_VCS_CACHE_REDIS_PASSWORD: 'old-password',
  CDS_VCS_CACHE_REDIS_SENTINELPASSWORD: 'old-of-sentinel',
  [`${SERVER}_CLIENTSECRET`]: 'old-client-secret',
};
const NEW = {
  CDS_VCS_API_TOKEN: NEW_TOKEN,
  CDS_VCS_WEBHOOKKEY: `new-${KEY}`,
  CDS_VCS_CACHE_REDIS_PASSWORD: 'new-password',
  CDS_VCS_CACHE_REDIS_SENTINELPASSWORD: 'new-of-sentinel',
  [`${SERVER}_CLIENTSECRET`]: 'new-client-secret',
};

describe('a changed file of a secret', () => {
  it('is taken where that is safe, and else warned of once, without a value', async () => {
    const { config, lines } = startVcs(OLD);
    mount(NEW);
    await waitFor(() => lines.length >= 5);

    expect(config.api.token).toBe(NEW_TOKEN);
    expect(config.redis.password).toBe('new-password');
    expect(config.redis.sentinel?.password).toBe('new-of-sentinel');
    expect(config.webhookKey).toBe(KEY);
    expect(config.servers[0]?.clientSecret).toBe('old-client-secret');
    const said = lines.map(({ variable, msg }) => [variable, msg]);
    expect(said.toSorted()).toEqual([
      ['CDS_VCS_API_TOKEN_FILE', 'secret taken from its changed file'],
      ['CDS_VCS_CACHE_REDIS_PASSWORD_FILE', 'secret taken from its changed file'],
      ['CDS_VCS_CACHE_REDIS_SENTINELPASSWORD_FILE', 'secret taken from its changed file'],
      [`${SERVER}_CLIENTSECRET_FILE`, 'file of a secret changed: restart'],
      ['CDS_VCS_WEBHOOKKEY_FILE', 'file of a secret changed: restart'],
    ]);
    const advice = lines.map((line) => String(line.advice)).join('\n');
    expect(advice).toContain('link every project again');
    expect(advice).toContain('hooks.previousWebhookKeys');

    // Each is said once: what comes next is all that is added.
    mount({ ...NEW, CDS_VCS_CACHE_REDIS_PASSWORD: 'third-password' });
    await waitFor(() => config.redis.password === 'third-password');
    expect(lines).toHaveLength(6);
    for (const value of Object.values({ ...OLD, ...NEW }))
      expect(JSON.stringify(lines)).not.toContain(value);
  });

  it.each<[string, Record<string, string>, string]>([
    ['is the key of webhooks, too', { CDS_VCS_API_TOKEN: CONSUMER_TOKEN }, NEW_TOKEN],
    [
      'is the shared.infra token',
      { CDS_VCS_API_TOKEN: 'shared', CDS_VCS_WEBHOOKKEY: KEY },
      'other-shared',
    ],
    [
      'becomes that of another generation',
      { CDS_VCS_API_TOKEN: CONSUMER_TOKEN, CDS_VCS_WEBHOOKKEY: KEY },
      'shared',
    ],
  ])('is not taken where the token %s', async (_how, before, token) => {
    const secrets = { ...before, [`${SERVER}_CLIENTSECRET`]: 'the-client-secret' };
    const { config, lines } = startVcs(secrets);
    mount({ ...secrets, CDS_VCS_API_TOKEN: token });
    await waitFor(() => lines.length > 0);
    expect(lines).toMatchObject([
      { variable: 'CDS_VCS_API_TOKEN_FILE', msg: 'file of a secret changed: restart' },
    ]);
    expect(config.api.token).toBe(before.CDS_VCS_API_TOKEN);
  });

  it('opens the client key for Redis and for its Sentinels', () => {
    const { config } = startVcs(OLD);
    config.redis.tls = { rejectUnauthorized: true, keyPassphrase: 'old' };
    config.redis.sentinel = { tls: { rejectUnauthorized: true } };
    const take = takeSecrets({ service: 'vcs', config, webhookKey: KEY });
    expect(take['CDS_VCS_CACHE_REDIS_TLSKEYPASSPHRASE']?.('new')).toBe(true);
    const { tls, sentinel } = config.redis;
    expect([tls?.keyPassphrase, sentinel?.tls?.keyPassphrase]).toEqual(['new', 'new']);
  });

  it('that cannot be read for a while changes nothing', async () => {
    const { config, lines } = startVcs(OLD);
    const others = Object.entries(OLD).filter(([name]) => !name.endsWith('_REDIS_PASSWORD'));
    mount({ ...Object.fromEntries(others), [`${SERVER}_CLIENTSECRET`]: '' });
    await waitFor(() => lines.length >= 2);
    expect(lines.map(({ variable, problem }) => `${String(variable)} ${String(problem)}`)).toEqual([
      expect.stringMatching(/REDIS_PASSWORD_FILE names a file that does not exist/),
      expect.stringMatching(/CLIENTSECRET_FILE names a file that is empty/),
    ]);
    expect(config.redis.password).toBe('old-password');

    mount({ ...OLD, CDS_VCS_CACHE_REDIS_PASSWORD: 'new-password' });
    await waitFor(() => config.redis.password === 'new-password');
    expect(lines).toHaveLength(3);
  });

  it('that is as before again is no reason for a restart', async () => {
    const { lines, config } = startVcs(OLD);
    mount({ ...OLD, CDS_VCS_WEBHOOKKEY: `new-${KEY}` });
    await waitFor(() => lines.length === 1);
    mount({ ...OLD, CDS_VCS_CACHE_REDIS_PASSWORD: 'new-password' });
    await waitFor(() => config.redis.password === 'new-password');
    expect(lines.map(({ msg }) => msg)).toEqual([
      'file of a secret changed: restart',
      'secret taken from its changed file',
    ]);
  });
});
