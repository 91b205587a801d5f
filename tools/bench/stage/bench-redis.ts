import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, waitFor } from '@cds/testing';
import { Redis } from 'ioredis';
import { startManaged } from '../../faults/stage/managed-process';
import { type Usage, usageOf } from '../measure/usage';

/** The Redis of a case, as durable as an operator should have it. */
export interface BenchRedis {
  port: number;
  /** For looking and setting up. */
  redis: Redis;
  usage(): Usage;
  /** Bytes that its data take. */
  usedMemory(): Promise<number>;
  stop(): Promise<void>;
}

export async function startBenchRedis(folder: string): Promise<BenchRedis> {
  const port = await freePort();
  const data = join(folder, `redis-${port}`);
  mkdirSync(data, { recursive: true });
  const server = await startManaged({
    command: 'redis-server',
    args: [
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', data, '--save', ''],
      ...['--appendonly', 'yes', '--appendfsync', 'everysec', '--maxmemory-policy', 'noeviction'],
    ],
    env: { PATH: process.env['PATH'] },
    cwd: data,
    log: join(folder, 'redis.log'),
  });
  const redis = new Redis({ host: '127.0.0.1', port, retryStrategy: () => 20 });
  redis.on('error', () => undefined);
  await waitFor(async () => server.isRunning() && (await redis.ping()), {
    what: 'redis-server to answer',
    timeoutMs: 15_000,
  });
  return {
    port,
    redis,
    usage: () => usageOf(server.pid),
    async usedMemory() {
      return Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
    },
    async stop() {
      redis.disconnect();
      server.signal('SIGKILL');
      await server.exited;
    },
  };
}
