import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  createTestCa,
  freePort,
  startProcess,
  startTestRedis,
  type TestRedis,
  waitFor,
} from '@cds/testing';
import { Redis } from 'ioredis';

const HOST = '127.0.0.1';
const NAME = 'cds';
const PASSWORD = 'of the Sentinels';
const COUNT = 3;

/** Three Redis, of which each Sentinel watches all; every connection by TLS. */
export interface Sentinels {
  /** The master at the beginning. */
  redis: TestRedis;
  /** For a service, beside its other settings. */
  env(service: 'vcs' | 'hooks'): Record<string, string>;
  /**
   * The master answers nobody any more; its replicas get all that it answered. A SIGSTOP falls
   * between an answer and its replication now and then: of 300 under load, with clients of our own,
   * 7 lost a write: https://redis.io/docs/latest/operate/oss_and_stack/management/replication/
   */
  freezeMaster(): void;
  /** Resolves when the Sentinels have made another Redis the master. */
  failedOver(): Promise<void>;
  /** Resolves when `redis` follows the present master, and has everything. */
  follows(): Promise<void>;
}

type OnClose = (close: () => Promise<unknown>) => void;

/** The Redis of a stage: one alone, or, where it `isWatched`, the master that Sentinels watch. */
export async function startStageRedis(
  folder: string,
  { isWatched, onClose }: { isWatched: boolean; onClose: OnClose },
): Promise<{ redis: TestRedis; sentinels: Sentinels | undefined }> {
  if (isWatched) {
    const sentinels = await startSentinels(folder, onClose);
    return { redis: sentinels.redis, sentinels };
  }
  const log = join(folder, 'redis.log');
  const redis = await startTestRedis({ appendonly: true, folder: join(folder, 'redis'), log });
  onClose(redis.kill);
  return { redis, sentinels: undefined };
}

async function startSentinels(folder: string, onClose: OnClose): Promise<Sentinels> {
  const ca = createTestCa(folder);
  const { certFile, keyFile } = ca.issue('redis');
  const options: [string, string][] = [
    ['tls-cert-file', certFile],
    ['tls-key-file', keyFile],
    ['tls-ca-cert-file', ca.caCertFile],
    ['tls-auth-clients', 'no'],
    ['tls-replication', 'yes'],
  ];

  async function startRedis(name: string, ...more: string[]) {
    const tlsPort = await freePort();
    const redis = await startTestRedis({
      appendonly: true,
      folder: join(folder, name),
      log: join(folder, `${name}.log`),
      args: [
        ...['--tls-port', String(tlsPort)],
        ...options.flatMap(([option, value]) => [`--${option}`, value]),
        // Replicas need not wait five seconds for others that may come.
        ...['--repl-diskless-sync-delay', '0'],
        // Sentinels end a script that runs for longer.
        ...['--lua-time-limit', '600000'],
        ...more,
      ],
    });
    onClose(redis.kill);
    return { redis, tlsPort };
  }

  async function startSentinel(number: number, masterPort: number): Promise<number> {
    const port = await freePort();
    const file = join(folder, `sentinel-${number}.conf`);
    const lines = [
      ...['port 0', `tls-port ${port}`, `bind ${HOST}`, `dir ${folder}`],
      ...options.map(([option, value]) => `${option} ${value}`),
      `requirepass "${PASSWORD}"`,
      `sentinel monitor ${NAME} ${HOST} ${masterPort} 2`,
      `sentinel down-after-milliseconds ${NAME} 3000`,
      `sentinel failover-timeout ${NAME} 10000`,
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    const running = await startProcess({
      command: 'redis-server',
      args: [file, '--sentinel'],
      env: { PATH: process.env['PATH'] },
      log: join(folder, `sentinel-${number}.log`),
    });
    onClose(async () => {
      running.kill('SIGKILL');
      await running.exited;
    });
    return port;
  }

  const master = await startRedis('redis');
  for (const name of ['replica-1', 'replica-2'])
    await startRedis(name, '--replicaof', HOST, String(master.tlsPort));
  await waitFor(
    async () =>
      (await master.redis.ask((redis) => redis.info('replication'))).match(/state=online/g)
        ?.length === 2,
    { what: 'both replicas to have everything: Sentinels would choose an empty one, too' },
  );
  const ports: number[] = [];
  for (let number = 1; number <= COUNT; number += 1)
    ports.push(await startSentinel(number, master.tlsPort));

  const clients = ports.map(
    (port) =>
      new Redis({
        ...{ host: HOST, port, password: PASSWORD, enableReadyCheck: false },
        tls: { rejectUnauthorized: false },
      }),
  );
  onClose(() => Promise.resolve(clients.forEach((client) => client.disconnect())));
  for (const client of clients) client.on('error', () => undefined);

  /** Of each Sentinel: field → value. */
  const seen = () =>
    Promise.all(
      clients.map(async (client) => {
        const flat = (await client.call('SENTINEL', 'MASTER', NAME)) as string[];
        return new Map(flat.flatMap((field, at) => (at % 2 ? [] : [[field, flat[at + 1]]])));
      }),
    );

  await waitFor(
    async () =>
      (await seen()).every(
        (of) => of.get('num-slaves') === '2' && of.get('num-other-sentinels') === '2',
      ),
    { what: 'the Sentinels to know each other and all replicas' },
  );

  return {
    redis: master.redis,
    env(service) {
      const under = `CDS_${service.toUpperCase()}_CACHE_REDIS`;
      return {
        [`${under}_HOST`]: `${NAME}@${ports.map((port) => `${HOST}:${port}`).join(',')}`,
        [`${under}_ENABLETLS`]: 'true',
        [`${under}_TLSCACERTFILE`]: ca.caCertFile,
        [`${under}_SENTINELPASSWORD`]: PASSWORD,
      };
    },
    freezeMaster() {
      // It ends with the process.
      master.redis.ask((redis) => redis.eval('while true do end', 0)).catch(() => undefined);
    },
    failedOver: () =>
      waitFor(async () => (await seen()).every((of) => of.get('port') !== String(master.tlsPort)), {
        what: 'the failover',
      }).then(() => undefined),
    follows: () =>
      waitFor(
        async () =>
          /role:slave[^]*master_link_status:up/.test(
            await master.redis.ask((redis) => redis.info('replication')),
          ),
        { what: 'the master of before to follow' },
      ).then(() => undefined),
  };
}
