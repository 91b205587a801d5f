import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  bundleProgram,
  captureLogger,
  createTestCa,
  disconnect,
  encryptedKey,
  freePort,
  silentLogger,
  startProcess,
  startTestRedis,
  waitFor,
  type RunningProcess,
  type TestCa,
  type TestCertificate,
  type TestRedis,
} from '@cds/testing';
import { Redis } from 'ioredis';
import { connectRedis, type RedisConfigLike } from './index';
import type { RedisRole } from './connect-redis';

const HOST = '127.0.0.1';
const ANY_CERTIFICATE = { rejectUnauthorized: false };

let folder: string;
let ca: TestCa;
let redis: TestRedis;
/** Where the same server speaks TLS alone. */
let tlsPort: number;
let tlsArgs: string[];
const open: Redis[] = [];

const reasonOf = (line: object) => ('reason' in line ? String(line.reason) : '');

const serverArgs = ({ certFile, keyFile }: TestCertificate) => [
  ...['--tls-cert-file', certFile, '--tls-key-file', keyFile],
  ...['--tls-ca-cert-file', ca.caCertFile],
];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cds-test-tls-'));
  ca = createTestCa(folder);
  tlsArgs = [...serverArgs(ca.issue('server')), '--tls-auth-clients', 'no'];
  tlsPort = await freePort();
  redis = await startTestRedis({
    args: ['--tls-port', String(tlsPort), ...tlsArgs, '--unixsocket', join(folder, 'redis.sock')],
  });
});
afterEach(() => {
  disconnect(...open.splice(0));
});
afterAll(async () => {
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
});

function connect(
  config: Partial<RedisConfigLike>,
  role: RedisRole = 'client',
  logger = silentLogger(),
) {
  const connection = connectRedis(
    {
      redis: { password: '', address: { kind: 'single', host: HOST, port: tlsPort }, ...config },
      logger,
      name: 'cds-hooks-wise_poincaré',
    },
    role,
  );
  open.push(connection);
  return connection;
}

describe('Redis that encrypts its connections', () => {
  it.each(['client', 'worker'] as const)(
    'serves a %s that accepts any certificate',
    async (role) => {
      const connection = connect({ tls: ANY_CERTIFICATE }, role);

      await waitFor(() => connection.status === 'ready', { what: 'the connection' });
      expect(await connection.ping()).toBe('PONG');
      expect(String(await connection.client('INFO'))).toContain(' name=cds-hooks-wise_poincar- ');
    },
  );

  it('is not trusted where nobody vouches for its certificate', async () => {
    const { logger, lines } = captureLogger();
    const connection = connect({ tls: { rejectUnauthorized: true } }, 'client', logger);

    await waitFor(() => lines.length > 0, { what: 'the warning' });
    expect(lines[0]).toMatchObject({
      reason: expect.stringMatching(/self.signed certificate.*name the CA .*tlsCaCertFile/),
    });
    expect(connection.status).not.toBe('ready');
  });

  it('is trusted where NODE_EXTRA_CA_CERTS vouches for it', async () => {
    const pinging = await startProcess({
      command: process.execPath,
      args: [bundleProgram('libs/redis/test/ping-over-tls.ts'), String(tlsPort)],
      env: { PATH: process.env['PATH'], NODE_EXTRA_CA_CERTS: ca.caCertFile },
    });

    await pinging.waitForOutput(/^PONG$/m);
    expect(await pinging.exited).toEqual({ code: 0, signal: null });
  });

  it('has no answer for connections without encryption', async () => {
    const { logger, lines } = captureLogger();
    const connection = connect({}, 'client', logger);

    await waitFor(() => lines.length > 0, { what: 'the warning' });
    expect(connection.status).not.toBe('ready');
  });
});

describe('TLS files', () => {
  const VERIFIED = { rejectUnauthorized: true };
  /** A Redis that speaks TLS alone, with this certificate. */
  async function startTls(certificate: TestCertificate, clients: 'no' | 'yes' = 'no') {
    const port = await freePort();
    const args = ['--tls-port', String(port), ...serverArgs(certificate)];
    const server = await startTestRedis({ args: [...args, '--tls-auth-clients', clients] });
    const address = { kind: 'single', host: HOST, port } as const;
    return { server, address };
  }

  /** What a connection is answered: `PONG`, or why there is none and what to do. */
  async function answers(config: Partial<RedisConfigLike>): Promise<string> {
    const { logger, lines } = captureLogger();
    const connection = connect(config, 'client', logger);
    const advised = () => lines.map(reasonOf).find((reason) => /cache\.redis|renewed/.test(reason));
    await waitFor(() => connection.status === 'ready' || advised(), { what: 'either' });
    return connection.status === 'ready' ? connection.ping() : String(advised());
  }

  it('name the CA that is trusted', async () => {
    const other = createTestCa(folder, 'other-ca').caCertFile;

    expect(await answers({ tls: { ...VERIFIED, caCertFile: ca.caCertFile } })).toBe('PONG');
    expect(await answers({ tls: { ...VERIFIED, caCertFile: other } })).toMatch(
      /self.signed certificate.*name the CA of its certificate in cache\.redis\.tlsCaCertFile/,
    );
  });

  it('and a name for a certificate of another one', async () => {
    const named = await startTls(ca.issue('named', { names: ['DNS:redis.example'] }));
    const tls = { ...VERIFIED, caCertFile: ca.caCertFile };
    try {
      expect(await answers({ address: named.address, tls })).toMatch(
        /does not match certificate's altnames.*cache\.redis\.tlsServerName/,
      );
      const serverName = 'redis.example';
      expect(await answers({ address: named.address, tls: { ...tls, serverName } })).toBe('PONG');
    } finally {
      await named.server.stop();
    }
  });

  it('sign in where Redis wants a client certificate', async () => {
    const strict = await startTls(ca.issue('strict'), 'yes');
    const client = ca.issue('client');
    const foreign = createTestCa(folder, 'foreign-ca').issue('foreign');
    const tls = { ...VERIFIED, caCertFile: ca.caCertFile };
    try {
      const { address } = strict;
      expect(await answers({ address, tls })).toMatch(/another client certificate.*tlsCertFile/);
      expect(await answers({ address, tls: { ...tls, ...foreign } })).toMatch(
        /another client certificate/,
      );
      expect(await answers({ address, tls: { ...tls, ...client } })).toBe('PONG');
      const keyFile = join(folder, 'encrypted.key');
      writeFileSync(keyFile, encryptedKey(client.keyFile, 'p@ss'));
      const encrypted = { ...tls, ...client, keyFile, keyPassphrase: 'p@ss' };
      expect(await answers({ address, tls: encrypted })).toBe('PONG');
    } finally {
      await strict.server.stop();
    }
  });

  it('do not help a certificate that has expired, and count when it is renewed', async () => {
    const expired = await startTls(ca.issue('expired', { days: -1 }));
    const tls = { ...VERIFIED, caCertFile: ca.caCertFile };
    try {
      expect(await answers({ address: expired.address, tls })).toMatch(
        /certificate has expired: a certificate has to be renewed/,
      );
    } finally {
      await expired.server.stop();
    }
  });

  it('are read for each connection: a renewed one counts without a restart', async () => {
    const strict = await startTls(ca.issue('strict-2'), 'yes');
    const [before, renewed] = [ca.issue('before', { days: -1 }), ca.issue('renewed')];
    const [certFile, keyFile] = [join(folder, 'mounted.pem'), join(folder, 'mounted.key')];
    const mount = (certificate: TestCertificate) => {
      copyFileSync(certificate.certFile, certFile);
      copyFileSync(certificate.keyFile, keyFile);
    };
    const { logger, lines } = captureLogger();
    try {
      mount(before);
      const tls = { ...VERIFIED, caCertFile: ca.caCertFile, certFile, keyFile };
      const connection = connect({ address: strict.address, tls }, 'client', logger);
      await waitFor(
        () =>
          lines.some((line) =>
            /^TLS: alert certificate expired: a cert.*renewed/.test(reasonOf(line)),
          ),
        {
          what: 'the refusal',
        },
      );

      mount(renewed);
      await waitFor(() => connection.status === 'ready', { what: 'the renewed certificate' });

      // Half of a pair is no pair: the whole one of before counts.
      copyFileSync(before.keyFile, keyFile);
      const back = new Promise((resolve) => connection.once('ready', resolve));
      connection.stream.destroy();
      await back;
      expect(lines).toContainEqual(
        expect.objectContaining({
          msg: 'cannot read the TLS files of Redis: those of before are used',
        }),
      );
      expect(JSON.stringify(lines)).not.toContain('PRIVATE KEY');
    } finally {
      await strict.server.stop();
    }
  });
});

describe('the socket of Redis', () => {
  it.each(['client', 'worker'] as const)('serves a %s', async (role) => {
    const path = join(folder, 'redis.sock');
    const connection = connect({ address: { kind: 'socket', path } }, role);

    await waitFor(() => connection.status === 'ready', { what: 'the connection' });
    expect(await connection.ping()).toBe('PONG');
    expect(String(await connection.client('INFO'))).toContain(`addr=${path}:0`);
  });
});

describe('Sentinels with a password that encrypt their connections', () => {
  let sentinel: RunningProcess;
  let port: number;
  beforeAll(async () => {
    port = await freePort();
    const file = join(folder, 'sentinel.conf');
    const options = tlsArgs.map((arg) => (arg.startsWith('--') ? `\n${arg.slice(2)}` : ` ${arg}`));
    writeFileSync(
      file,
      `port 0\ntls-port ${port}\ntls-replication yes\nbind ${HOST}\ndir ${folder}${options.join('')}\nsentinel monitor cds ${HOST} ${tlsPort} 1\nrequirepass of-sentinels\n`,
    );
    sentinel = await startProcess({
      command: 'redis-server',
      args: [file, '--sentinel'],
      env: { PATH: process.env['PATH'] },
    });
  });
  afterAll(async () => {
    sentinel.kill('SIGKILL');
    await sentinel.exited;
  });

  const address = () => ({
    kind: 'sentinel' as const,
    name: 'cds',
    sentinels: [{ host: HOST, port }],
  });

  const tls = () => ({ rejectUnauthorized: true, caCertFile: ca.caCertFile });
  const signedIn = () => ({ password: 'of-sentinels', tls: tls() });

  it.each(['client', 'worker'] as const)('lead a %s to the master, over TLS both', async (role) => {
    const connection = connect({ address: address(), tls: tls(), sentinel: signedIn() }, role);

    await waitFor(() => connection.set('a', '1'), { what: 'the master' });
    expect(await redis.ask((plain) => plain.get('a'))).toBe('1');
    expect(connection.stream).toHaveProperty('encrypted', true);
  });

  it('are signed in to with their password of now, when a connection is made anew', async () => {
    const config = { address: address(), tls: tls(), sentinel: signedIn() };
    const { logger, lines } = captureLogger();
    const connection = connect(config, 'client', logger);
    await waitFor(() => connection.set('a', '1'), { what: 'the master' });
    const setPassword = async (password: string) => {
      const own = { host: HOST, port, tls: { ca: readFileSync(ca.caCertFile) } };
      const admin = new Redis({ ...own, password: config.sentinel.password });
      await admin.call('ACL', 'SETUSER', 'default', 'resetpass', `>${password}`);
      admin.disconnect();
    };
    await setPassword('changed');
    try {
      await redis.ask((plain) => plain.call('CLIENT', 'KILL', 'TYPE', 'normal'));
      await waitFor(() => lines.some(({ msg }) => String(msg).startsWith('Sentinel refuses')));
      config.sentinel.password = 'changed';
      await waitFor(() => connection.set('a', '2'), { what: 'the master again' });
    } finally {
      config.sentinel.password = 'changed';
      await setPassword('of-sentinels');
    }
  });

  it.each<[string, () => Partial<RedisConfigLike>, object]>([
    ['without encryption', () => ({}), { msg: /cannot be reached/ }],
    [
      'that trust another CA',
      () => ({ sentinel: { tls: { rejectUnauthorized: true } } }),
      { reason: /unreachable.*look at .*tlsCaCertFile/ },
    ],
    [
      'without their password',
      () => ({ sentinel: { tls: tls() } }),
      { msg: /^Sentinel refuses the password: correct cache\.redis\.sentinelPassword/ },
    ],
    [
      'with another password',
      () => ({ sentinel: { password: 'wrong', tls: tls() } }),
      { msg: /^Sentinel refuses the password/, reason: /WRONGPASS/ },
    ],
    [
      'that ask for another master',
      () => ({ address: { ...address(), name: 'other' }, sentinel: signedIn() }),
      { reason: /No such master.*correct the name before the @/ },
    ],
  ])('do not lead connections %s', async (_, config, expected) => {
    const { logger, lines } = captureLogger();
    const connection = connect({ address: address(), tls: tls(), ...config() }, 'client', logger);

    await waitFor(() => lines.length > 0, { what: 'the warning' });
    for (const [field, pattern] of Object.entries(expected))
      expect(lines[0]).toMatchObject({ [field]: expect.stringMatching(pattern as RegExp) });
    expect(connection.status).not.toBe('ready');
    expect(JSON.stringify(lines)).not.toMatch(/of-sentinels|wrong/);
  });
});
