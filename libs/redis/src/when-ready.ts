import type { Redis } from 'ioredis';

/** Resolves when the connection is ready or has ended, or after `limitMs`. Never rejects. */
export function whenReady(redis: Redis, limitMs: number): Promise<void> {
  if (redis.status === 'ready') return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      redis.off('ready', done);
      redis.off('end', done);
      resolve();
    };
    const timer = setTimeout(done, limitMs);
    redis.once('ready', done);
    redis.once('end', done);
  });
}
