import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import {
  captureLogger,
  freePort,
  silentLogger,
  startTestRedis,
  type TestRedis,
  waitFor,
} from '@cds/testing';
import { Redis } from 'ioredis';
import { connectRedis, defineScript, replies } from './index';
import { hasRedisErrorCode, type RedisErrorCode } from './redis-errors';

/** As Redis up to 6.2 writes what a script is refused. */
const wrapped = (text: string) =>
  `ERR Error running script (call to f_4ca238f611c9d0ae4e9a75a5dbac22aedc1e44): @user_script:12: @user_script: 12: ${text}`;

describe('an error of Redis', () => {
  it.each<[RedisErrorCode, string]>([
    ['READONLY', "READONLY You can't write against a read only replica."],
    ['READONLY', wrapped("-READONLY You can't write against a read only replica. ")],
    [
      'READONLY',
      "READONLY You can't write against a read only replica. script: 1, on @user_script:1.",
    ],
    ['NOSCRIPT', 'NOSCRIPT No matching script. Please use EVAL.'],
    ['OOM', "OOM command not allowed when used memory > 'maxmemory'."],
    ['OOM', wrapped("-OOM command not allowed when used memory > 'maxmemory'.")],
    [
      'MISCONF',
      wrapped('-MISCONF Redis is configured to save RDB snapshots, but it is currently not able'),
    ],
    ['NOPERM', "NOPERM this user has no permissions to run the 'set' command"],
    ['NOPERM', wrapped("The user executing the script can't run this command or subcommand")],
    [
      'NOPERM',
      wrapped("The user executing the script can't access at least one of the keys mentioned"),
    ],
    ['CROSSSLOT', "CROSSSLOT Keys in request don't hash to the same slot"],
  ])('is told by %s, wherever it stands: %s', (code, message) => {
    expect(hasRedisErrorCode(new Error(message), code)).toBe(true);
    expect(hasRedisErrorCode(new Error(message), 'WRONGPASS', code)).toBe(true);
    expect(hasRedisErrorCode(new Error(message), 'WRONGPASS', 'MASTERDOWN')).toBe(false);
  });

  it.each([
    'ERR unknown command `READONLYX`, with args beginning with: ',
    'ERR no such key: my-READONLY-branch',
    'the ROOM command',
    'READ ONLY',
    '',
  ])('is not told by what only looks like its word: %s', (message) => {
    expect(hasRedisErrorCode(new Error(message), 'READONLY', 'OOM')).toBe(false);
    expect(hasRedisErrorCode(message, 'READONLY')).toBe(false);
  });
});

/**
 * Hands connections on to the newest target, and writes what scripts are refused in the words of
 * Redis 6.2.
 */
async function startOldRedisProxy() {
  const port = await freePort();
  const sockets = new Set<Socket>();
  let target = 0;
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    client.pipe(upstream);
    upstream.on('data', (chunk) => {
      const text = chunk.toString('latin1');
      const old = text.replaceAll(
        /^-READONLY (.*) script: .*$/gm,
        (_, words) => `-${wrapped(`-READONLY ${words}`)}`,
      );
      client.write(Buffer.from(old, 'latin1'));
    });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => [client, upstream].forEach((one) => one.destroy()));
    }
  });
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return {
    port,
    toward(other: number) {
      target = other;
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('a master that became a replica', () => {
  let servers: TestRedis[] = [];
  afterAll(() => Promise.all(servers.map((server) => server.stop())));

  it.each(['client', 'worker'] as const)(
    'is left by a %s that runs scripts alone, in the words of Redis 6.2, too',
    async (role) => {
      const [one, two] = await Promise.all([startTestRedis(), startTestRedis()]);
      servers = [...servers, one, two];
      const admins = [new Redis(one.url), new Redis(two.url)] as const;
      const proxy = await startOldRedisProxy();
      proxy.toward(one.port);
      const address = { kind: 'single', host: '127.0.0.1', port: proxy.port } as const;
      const { logger } = captureLogger();
      const redis = connectRedis({ redis: { password: '', address }, logger, name: 't' }, role);
      try {
        const write = defineScript({
          name: 'write',
          keys: ['key'],
          args: ['value'],
          reply: replies.ignored,
          lua: (K, A) => `return redis.call('SET', ${K.key}, ${A.value})`,
        }).on(redis);
        await waitFor(
          () =>
            write({ key: 'a' }, { value: '1' })
              .then(() => true)
              .catch(() => false),
          { what: 'the connection' },
        );
        await admins[0].call('REPLICAOF', '127.0.0.1', String(two.port));
        proxy.toward(two.port);

        await waitFor(
          () =>
            write({ key: 'a' }, { value: '2' })
              .then(() => true)
              .catch(() => false),
          {
            what: 'a script to be run by the new master',
          },
        );
        expect(await admins[1].get('a')).toBe('2');
      } finally {
        redis.disconnect();
        for (const admin of admins) admin.disconnect();
        await proxy.stop();
      }
    },
  );
});

describe('a database that Redis refuses', () => {
  it.each([
    [['--databases', '2'], 'Redis has no such database: ', 'ERR DB index is out of range'],
    [
      ['--user', ...'default on nopass ~* +@all -select'.split(' ')],
      'Redis forbids its user ',
      /^NOPERM/,
    ],
    [['--rename-command', 'SELECT', ''], 'Redis refuses SELECT', /^ERR unknown command/],
  ])('is said once, and nothing is written to another: %j', async (args, said, reason) => {
    const server = await startTestRedis({ args });
    const { logger, lines } = captureLogger();
    const deps = { redis: { ...server.config, database: 9 }, logger, name: 't' };
    const redis = connectRedis(deps, 'client');
    const worker = connectRedis({ ...deps, logger: silentLogger() }, 'worker');
    const duplicate = worker.duplicate();
    const admin = new Redis(server.url);
    duplicate.on('error', () => undefined);
    void duplicate.set('a', '1').catch(() => undefined);
    try {
      await waitFor(() => lines.length > 0, { what: 'the line' });
      for (let tries = 0; tries < 20; tries++) await expect(redis.set('a', '1')).rejects.toThrow();
      await waitFor(() =>
        admin.info('stats').then((text) => /total_connections_received:\d\d/.test(text)),
      );
      expect(lines).toEqual([
        expect.objectContaining({
          msg: expect.stringMatching(`^${said}.*cache.redis.dbindex`),
          reason: expect.stringMatching(reason),
        }),
      ]);
      expect(await admin.keys('*')).toEqual([]);
      const first = connectRedis({ ...deps, redis: server.config }, 'client');
      await waitFor(() => first.set('a', '1'), { what: 'database 0' });
      first.disconnect();
    } finally {
      for (const connection of [redis, worker, duplicate, admin]) connection.disconnect();
      await server.stop();
    }
  });
});
