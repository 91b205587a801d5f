import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, waitFor } from '@cds/testing';
import { Redis } from 'ioredis';
import { startManaged, type ManagedProcess } from './managed-process';

const HOST = '127.0.0.1';

/** A real redis-server with an append-only file, which can be made to fail in every way. */
export interface RedisServer {
  port: number;
  /** Starts it on the data that it has. */
  start(): Promise<void>;
  /** SIGTERM: it writes what it has and ends. */
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGSTOP and SIGCONT: connections stay, answers do not come. */
  freeze(): void;
  thaw(): void;
  /** Asks it something, on a connection made for it alone. */
  ask<T>(work: (redis: Redis) => Promise<T>): Promise<T>;
}

/** Starts a redis-server as an operator should have it: append-only file, nothing evicted. */
export async function startRedisServer(folder: string): Promise<RedisServer> {
  const port = await freePort();
  const data = join(folder, 'redis');
  mkdirSync(data, { recursive: true });
  let server: ManagedProcess | undefined;

  async function end(signal: NodeJS.Signals): Promise<void> {
    const ending = server;
    server = undefined;
    ending?.signal('SIGCONT');
    ending?.signal(signal);
    await ending?.exited;
  }

  const redis: RedisServer = {
    port,
    async start() {
      if (server) throw new Error('This redis-server runs already');
      server = await startManaged({
        command: 'redis-server',
        args: [
          ...['--port', String(port), '--bind', HOST, '--dir', data, '--save', ''],
          ...['--appendonly', 'yes', '--maxmemory-policy', 'noeviction'],
        ],
        env: { PATH: process.env['PATH'] },
        cwd: data,
        log: join(folder, 'redis.log'),
      });
      await waitFor(() => redis.ask((connection) => connection.ping()), {
        what: 'redis-server to answer',
      });
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    freeze: () => server?.signal('SIGSTOP'),
    thaw: () => server?.signal('SIGCONT'),
    async ask(work) {
      const connection = new Redis({
        host: HOST,
        port,
        lazyConnect: true,
        retryStrategy: () => null,
        connectTimeout: 2_000,
      });
      connection.on('error', () => undefined);
      try {
        await connection.connect();
        return await work(connection);
      } finally {
        if (connection.status !== 'end') connection.disconnect();
      }
    },
  };
  await redis.start();
  return redis;
}
