import { randomUUID } from 'node:crypto';
import { vcsKeys } from '@cds/redis';
import type { Redis } from 'ioredis';

const EVERY_MS = 1_000;
const TTL_SECONDS = 10;

/**
 * Shows `hooks` of the same Redis that a `vcs` is registered, of which an API from 0.51 on does not
 * tell: a run that is asked for before it is fails.
 * @param isOurs whether the state in Redis is that of this CDS
 * @returns what ends it
 */
export function showAlive(redis: Redis, isOurs: () => boolean): () => void {
  const timer = setInterval(() => {
    if (redis.status !== 'ready' || !isOurs()) return;
    // The next one comes in a second.
    redis.set(vcsKeys.alive, randomUUID(), 'EX', TTL_SECONDS).catch(() => undefined);
  }, EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
