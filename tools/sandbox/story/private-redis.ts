import { join } from 'node:path';
import { startTestRedis, type TestRedis } from '@cds/testing';
import type { RunFolder } from './run-folder';

/**
 * Starts a redis-server of the sandbox's own in the run's folder, which the next run finds by its
 * process id. Ctrl-C reaches the sandbox alone, which stops its children in the right order.
 */
export function startPrivateRedis(folder: RunFolder, port: number): Promise<TestRedis> {
  return startTestRedis({
    port,
    folder: folder.redis,
    log: join(folder.redis, 'redis.log'),
    appendonly: true,
    args: ['--pidfile', join(folder.redis, 'redis.pid')],
    detached: true,
  });
}
