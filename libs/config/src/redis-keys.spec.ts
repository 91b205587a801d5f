import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestCa, encryptedKey } from '@cds/testing';
import { formatRedisAddress, ConfigError, loadConfig, publicConfig } from './index';

const HUNTER = 'hunter2';
const BASE = { CDS_HOOKS_NAME: 'h', CDS_HOOKS_API_TOKEN: 't', CDS_HOOKS_SIGNATURE: 'off' };
const UNDER = 'CDS_HOOKS_CACHE_REDIS_';

type Keys = Record<string, string>;

function envOf(keys: Keys): NodeJS.ProcessEnv {
  const given = Object.entries(keys).map(([key, value]) => [UNDER + key.toUpperCase(), value]);
  return { ...BASE, ...(Object.fromEntries(given) as Keys) };
}

function redisOf(keys: Keys) {
  return loadConfig({ services: ['hooks'], env: envOf(keys) }).hooks?.redis;
}

/** A key is named by its variable, or by its path where nothing gives it. */
function bareKey(key: string): string {
  return key.toUpperCase().replace(UNDER, '').replace('HOOKS.CACHE.REDIS.', '');
}

/** What is refused, as `KEY message`. */
function refusalsOf(keys: Keys): string[] {
  try {
    redisOf(keys);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const errors = error.problems.filter(({ level }) => level === 'error');
    return errors.map(({ key, message }) => `${bareKey(key)} ${message}`);
  }
  return [];
}

describe('the host of Redis', () => {
  const single = (host: string, port: number) => ({ kind: 'single', host, port });

  it.each([
    ['redis://redis.example', { address: single('redis.example', 6379), database: 0 }],
    ['REDIS://redis.example:1/', { address: single('redis.example', 1), database: 0 }],
    ['redis://[::1]:6380/15', { address: single('::1', 6380), database: 15 }],
    ['redis://vcs@r', { username: 'vcs', password: '' }],
    ['redis://:p@r', { password: 'p' }],
    ['redis://vcs:p@r/3', { username: 'vcs', password: 'p', database: 3 }],
    ['rediss://r:6380', { address: single('r', 6380), tls: { rejectUnauthorized: true } }],
    ['rediss://v%40cs:%2F%3F%23%25%3A%40%20%C3%A9@r', { username: 'v@cs', password: '/?#%:@ é' }],
    ['redis://a:b:c,d@r', { username: 'a', password: 'b:c,d', address: single('r', 6379) }],
    ['/run/redis.sock', { address: { kind: 'socket', path: '/run/redis.sock' } }],
    ['m@a:1,b', { address: { kind: 'sentinel', name: 'm' }, sentinel: {} }],
  ])('is understood as %s', (host, expected) => {
    const redis = redisOf({ host });

    expect(redis).toMatchObject(expected);
    expect(redis).not.toHaveProperty('url');
  });

  it.each([
    [`redis://u:${HUNTER}@r/0?db=1`, /^HOST takes no \? and #.*as \/1, or as dbindex/],
    [`redis://u:${HUNTER}@r#1`, /^HOST takes no \? and #/],
    [`redis://u:${HUNTER}@r?`, /^HOST takes no \? and #/],
    [`redis://u:${HUNTER}@r/one`, /^HOST takes nothing but the number of the database/],
    [`redis://u:${HUNTER}@r/1/2`, /^HOST takes nothing but the number of the database/],
    [`redis://u:${HUNTER}@r/65536`, /from 0 to 65535/],
    [`redis://u:${HUNTER}@`, /^HOST is not a URL that can be read.*% as %25, \/ as %2F/],
    [`redis://u:${HUNTER}/x@r`, /^HOST is not a URL that can be read.*\/ as %2F/],
    [`redis://u:${HUNTER}@r:0`, /^HOST is not a URL that can be read/],
    [`redis://u:${HUNTER}@r:99999`, /^HOST is not a URL that can be read/],
    [`redis://u:${HUNTER}%zz@r`, /^HOST has a user or password that is not encoded rightly/],
    [`redis://u:${HUNTER}%ff@r`, /^HOST has a user or password that is not encoded rightly/],
    [`redis://u:${HUNTER}%0a@r`, /^HOST has a user or password that ends with a line break/],
    [`redis://u:${HUNTER}@m@s1:1,s2:2`, /^HOST is Sentinel as a URL: write name@/],
    [`http://u:${HUNTER}@r`, /^HOST has a scheme that is not known: must be host:port/],
    [
      `unix://u:${HUNTER}@/run/redis.sock`,
      /^HOST is the path of a socket as a URL: write the path/,
    ],
    [`/run/redis.sock?password=${HUNTER}`, /^HOST is the path of a socket, which takes no \?/],
    [`/${'a'.repeat(107)}`, /^HOST is the path of a socket that is longer than 107 bytes/],
    [`u:${HUNTER}@r:6379`, /^HOST must be host:port, redis:\/\//],
  ])('is refused as %s, without repeating it', (host, sentence) => {
    const refusals = refusalsOf({ host });

    expect(refusals).toEqual([expect.stringMatching(sentence)]);
    expect(refusals.join()).not.toContain(HUNTER);
  });

  it('is told to the API and to operators without its user and password', () => {
    const { hooks } = loadConfig({
      services: ['hooks'],
      env: envOf({ host: `rediss://u:${HUNTER}@r:6380/3` }),
    });
    if (!hooks) throw new Error('no configuration');

    expect(publicConfig('hooks', hooks)).toMatchObject({
      cache: { redis: { host: 'r:6380', dbindex: 3, enableTLS: true } },
    });
    expect(JSON.stringify(publicConfig('hooks', hooks))).not.toContain(HUNTER);
    expect(formatRedisAddress({ kind: 'socket', path: '/a' })).toBe('/a');
  });
});

describe('keys of Redis that do not go together', () => {
  const SENTINEL = 'm@s1,s2';
  it.each<[Keys, RegExp]>([
    [{ host: 'redis://a@r', username: 'b' }, /^USERNAME is given in the URL of .*HOST, too/],
    [{ host: `redis://:${HUNTER}@r`, password: 'b' }, /^PASSWORD is given in the URL.*keep one$/],
    [{ host: 'redis://r/0', dbindex: '1' }, /^DBINDEX is given in the URL/],
    [{ host: 'redis://r', enableTLS: '1' }, /^ENABLETLS is true, .*HOST begins with redis:\/\//],
    [{ host: '/run/r.sock', enableTLS: '1' }, /^ENABLETLS is true, but a socket/],
    [{ host: '/run/r.sock', tlsServerName: 'r' }, /^TLSSERVERNAME is for TLS, which a socket/],
    [{ tlsCaCertFile: '/ca.pem' }, /^TLSCACERTFILE is for TLS, which is off: set enableTLS/],
    [{ tlsServerName: 'r' }, /^TLSSERVERNAME is for TLS, which is off/],
    [
      { sentinelPassword: HUNTER },
      /^SENTINELPASSWORD is for Sentinel alone, which hooks\.cache\.redis\.host does/,
    ],
    [{ sentinelUsername: 'u' }, /^SENTINELUSERNAME is for Sentinel alone/],
    [{ sentinelTLS: 'on' }, /^SENTINELTLS is for Sentinel alone/],
    [{ host: SENTINEL, sentinelUsername: 'u' }, /^SENTINELPASSWORD is empty, but/],
    [{ host: SENTINEL, sentinelTLS: 'yes' }, /^SENTINELTLS must be one of "same", "on", "off"/],
    [{ host: 'rediss://r', tlsCertFile: 'a.pem' }, /^TLSCERTFILE must be the absolute path/],
  ])('%j are refused', (keys, sentence) => {
    const refusals = refusalsOf(keys);

    expect(refusals).toEqual([expect.stringMatching(sentence)]);
    expect(refusals.join()).not.toContain(HUNTER);
  });

  it('are accepted where both say the same, as a printed file does', () => {
    const same = { host: 'rediss://a:b@r/1', username: 'a', password: 'b', dbindex: '1' };
    expect(refusalsOf({ ...same, enableTLS: 'true' })).toEqual([]);
    expect(refusalsOf({ host: 'rediss://a:b@r/1', dbindex: '0', enableTLS: 'false' })).toEqual([]);
  });

  it('say nothing of a host that is wrong itself', () => {
    expect(refusalsOf({ host: 'm@s1', sentinelPassword: 'p' })).toHaveLength(1);
  });

  it.each<[Keys, string]>([
    [{ insecureSkipVerifyTLS: 'true' }, 'INSECURESKIPVERIFYTLS'],
    [{ username: 'u' }, 'PASSWORD'],
  ])('%j are odd', (keys, key) => {
    const { warnings } = loadConfig({ services: ['hooks'], env: envOf(keys) });
    expect(warnings.map((warning) => bareKey(warning.key))).toContain(key);
  });
});

describe('Sentinels', () => {
  const host = 'm@s1:1,s2:2';
  const tls = { rejectUnauthorized: true };
  it.each<[Keys, object]>([
    [{}, { sentinel: {} }],
    [{ enableTLS: 'true' }, { tls, sentinel: { tls } }],
    [
      { enableTLS: 'true', sentinelTLS: 'off' },
      { tls, sentinel: {} },
    ],
    [{ sentinelTLS: 'on' }, { sentinel: { tls } }],
    [
      { password: 'p', sentinelUsername: 'u', sentinelPassword: 'q' },
      { password: 'p', sentinel: { username: 'u', password: 'q' } },
    ],
  ])('have a password and TLS of their own: %j', (keys, expected) => {
    const { address, ...redis } = redisOf({ host, ...keys }) ?? {};
    expect(redis).toEqual({ database: 0, keyPrefix: '', password: '', ...expected });
    expect(address).toMatchObject({ kind: 'sentinel' });
  });
});

describe('TLS files of Redis', () => {
  let folder: string;
  let files: Record<'ca' | 'cert' | 'key' | 'otherKey' | 'expired' | 'secret' | 'text', string>;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'cds-config-tls-'));
    const ca = createTestCa(folder);
    const [own, other, expired] = [
      ca.issue('own'),
      ca.issue('other'),
      ca.issue('expired', { days: -1 }),
    ];
    const text = join(folder, 'text');
    writeFileSync(text, 'no PEM\n');
    const secret = join(folder, 'secret.key');
    writeFileSync(secret, encryptedKey(own.keyFile, 'p@ss'));
    files = {
      ...{ ca: ca.caCertFile, cert: own.certFile, key: own.keyFile },
      ...{ otherKey: other.keyFile, expired: expired.certFile, secret, text },
    };
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const HOST = { host: 'rediss://r' };

  it('are named to connections, which read them', () => {
    const { ca, cert, key } = files;
    const keys = { ...HOST, tlsCaCertFile: ca, tlsCertFile: cert, tlsKeyFile: key };

    expect(redisOf({ ...keys, tlsServerName: 'redis.example' })?.tls).toEqual({
      ...{ rejectUnauthorized: true, caCertFile: ca, certFile: cert, keyFile: key },
      serverName: 'redis.example',
    });
  });

  it('have a key with a passphrase, which may stand in a file', () => {
    const { cert, secret } = files;
    const passphrase = join(folder, 'passphrase');
    writeFileSync(passphrase, 'p@ss\n');
    const env = {
      ...envOf({ ...HOST, tlsCertFile: cert, tlsKeyFile: secret }),
      [`${UNDER}TLSKEYPASSPHRASE_FILE`]: passphrase,
    };
    expect(loadConfig({ services: ['hooks'], env }).hooks?.redis.tls).toEqual({
      ...{ rejectUnauthorized: true, certFile: cert, keyFile: secret, keyPassphrase: 'p@ss' },
    });
  });

  it.each<[string, () => Keys, RegExp]>([
    [
      'a missing file',
      () => ({ tlsCaCertFile: join(folder, 'none') }),
      /^TLSCACERTFILE cannot be read: there is no such file$/,
    ],
    [
      'a folder',
      () => ({ tlsCaCertFile: folder }),
      /^TLSCACERTFILE cannot be read: it is a folder/,
    ],
    ['a file without end', () => ({ tlsCaCertFile: '/dev/zero' }), /is larger than 1048576 bytes/],
    [
      'a file of another kind',
      () => ({ tlsCaCertFile: files.text }),
      /^TLSCACERTFILE holds no certificate: name a PEM file/,
    ],
    [
      'a key for a certificate',
      () => ({ tlsCertFile: files.key, tlsKeyFile: files.key }),
      /^TLSCERTFILE holds no certificate/,
    ],
    [
      'a certificate for a key',
      () => ({ tlsCertFile: files.cert, tlsKeyFile: files.cert }),
      /^TLSKEYFILE holds no private key/,
    ],
    [
      'a key without its passphrase',
      () => ({ tlsCertFile: files.cert, tlsKeyFile: files.secret }),
      /^TLSKEYPASSPHRASE is empty, and the key in tlsKeyFile has one: give it$/,
    ],
    [
      'a key with another passphrase',
      () => ({ tlsCertFile: files.cert, tlsKeyFile: files.secret, tlsKeyPassphrase: 'wrong' }),
      /^TLSKEYPASSPHRASE does not open the key in tlsKeyFile: correct it$/,
    ],
    [
      'a passphrase without a key',
      () => ({ tlsKeyPassphrase: 'p@ss' }),
      /^TLSKEYPASSPHRASE is that of the key in tlsKeyFile, which is empty/,
    ],
    [
      'the key of another certificate',
      () => ({ tlsCertFile: files.cert, tlsKeyFile: files.otherKey }),
      /^TLSKEYFILE is not the key of the certificate in tlsCertFile/,
    ],
    [
      'a certificate alone',
      () => ({ tlsCertFile: files.cert }),
      /^TLSKEYFILE is missing beside tlsCertFile/,
    ],
    ['a key alone', () => ({ tlsKeyFile: files.key }), /^TLSCERTFILE is missing beside tlsKeyFile/],
  ])('are refused: %s', (_, keys, sentence) => {
    expect(refusalsOf({ ...HOST, ...keys() })).toEqual([expect.stringMatching(sentence)]);
  });

  // Root may read everything.
  (process.getuid?.() === 0 ? it.skip : it)('are refused where this user may not read them', () => {
    const file = join(folder, 'private.pem');
    writeFileSync(file, '');
    chmodSync(file, 0);
    expect(refusalsOf({ ...HOST, tlsCaCertFile: file })).toEqual([
      'TLSCACERTFILE cannot be read: this user may not read it',
    ]);
  });

  it('are warned of when they have expired', () => {
    const env = envOf({ ...HOST, tlsCaCertFile: files.expired });
    const { warnings } = loadConfig({ services: ['hooks'], env });
    expect(warnings).toContainEqual(
      expect.objectContaining({
        key: `${UNDER}TLSCACERTFILE`,
        message: expect.stringMatching(/^holds a certificate that expired on .*: renew it$/),
      }),
    );
  });
});
