import { join } from 'node:path';
import { freePort, startTestRedis } from '@cds/testing';
import { Redis } from 'ioredis';
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
  const server = await startTestRedis({
    port,
    appendonly: true,
    args: ['--appendfsync', 'everysec'],
    folder: join(folder, `redis-${port}`),
    log: join(folder, 'redis.log'),
  });
  const redis = new Redis(server.url, { retryStrategy: () => 20 });
  redis.on('error', () => undefined);
  return {
    port,
    redis,
    usage: () => usageOf(server.pid()),
    async usedMemory() {
      return Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
    },
    async stop() {
      redis.disconnect();
      await server.stop();
    },
  };
}
