import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  captureLogger,
  disconnect,
  freePort,
  silentLogger,
  startProcess,
  startTestRedis,
  waitFor,
  type RunningProcess,
  type TestRedis,
} from '@cds/testing';
import type { Redis } from 'ioredis';
import { TLS_CERTIFICATE, TLS_KEY } from '../test/tls.fixture';
import { connectRedis, type RedisConfigLike } from './index';
import type { RedisRole } from './connect-redis';

const HOST = '127.0.0.1';
const ANY_CERTIFICATE = { rejectUnauthorized: false };

let folder: string;
let redis: TestRedis;
/** Where the same server speaks TLS alone. */
let tlsPort: number;
let tlsArgs: string[];
const open: Redis[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cds-test-tls-'));
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  writeFileSync(key, TLS_KEY);
  writeFileSync(certificate, TLS_CERTIFICATE);
  tlsArgs = ['--tls-cert-file', certificate, '--tls-key-file', key];
  tlsArgs.push('--tls-ca-cert-file', certificate, '--tls-auth-clients', 'no');
  tlsPort = await freePort();
  redis = await startTestRedis({ args: ['--tls-port', String(tlsPort), ...tlsArgs] });
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
    expect(lines[0]).toMatchObject({ reason: expect.stringMatching(/self.signed certificate/) });
    expect(connection.status).not.toBe('ready');
  });

  it('is trusted where NODE_EXTRA_CA_CERTS vouches for it', async () => {
    const pinging = await startProcess({
      command: process.execPath,
      args: ['--import', 'tsx', join(__dirname, '..', 'test', 'ping-over-tls.ts'), String(tlsPort)],
      env: { PATH: process.env['PATH'], NODE_EXTRA_CA_CERTS: join(folder, 'certificate.pem') },
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

describe('Sentinels that encrypt their connections', () => {
  let sentinel: RunningProcess;
  let port: number;
  beforeAll(async () => {
    port = await freePort();
    const file = join(folder, 'sentinel.conf');
    const options = tlsArgs.map((arg) => (arg.startsWith('--') ? `\n${arg.slice(2)}` : ` ${arg}`));
    writeFileSync(
      file,
      `port 0\ntls-port ${port}\ntls-replication yes\nbind ${HOST}\ndir ${folder}${options.join('')}\nsentinel monitor cds ${HOST} ${tlsPort} 1\n`,
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

  it('lead to the master, over TLS both', async () => {
    const connection = connect({ address: address(), tls: ANY_CERTIFICATE });

    await waitFor(() => connection.set('a', '1'), { what: 'the master' });
    expect(await redis.ask((plain) => plain.get('a'))).toBe('1');
    expect(connection.stream).toHaveProperty('encrypted', true);
  });

  it('have no answer for connections without encryption', async () => {
    const { logger, lines } = captureLogger();
    const connection = connect({ address: address() }, 'client', logger);

    await waitFor(() => lines.length > 0, { what: 'the warning' });
    expect(connection.status).not.toBe('ready');
  });
});
