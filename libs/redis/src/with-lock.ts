import type { Redis } from 'ioredis';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineScript } from './define-script';
import { replies } from './script-reply';

/** Another holder kept the lock longer than the caller waits. */
export class LockTimeoutError extends Error {
  override readonly name = 'LockTimeoutError';

  constructor(key: string, waitMs: number) {
    super(`The lock ${key} was not free within ${waitMs} ms`);
  }
}

export interface LockOptions {
  /**
   * Milliseconds after which Redis frees the lock of a dead holder. Must exceed the deadline of the
   * work: work goes on when its lock expires, and another holder starts beside it.
   */
  ttlMs: number;
  /** Milliseconds to wait for the lock; 0 tries once. */
  waitMs: number;
  /** Milliseconds between two tries, 50 when not given. */
  pollMs?: number | undefined;
  /** Ends the waiting, not the work. */
  signal?: AbortSignal | undefined;
}

// Compare and delete: a holder whose lock expired must not free the lock of the next one.
const RELEASE = defineScript({
  name: 'cdsbbReleaseLock',
  keys: ['lock'],
  args: ['holder'],
  reply: replies.flag,
  lua: (K, A) => `
if redis.call('GET', ${K.lock}) == ${A.holder} then
  return redis.call('DEL', ${K.lock})
end
return 0
`,
});

/**
 * Does `work` while no other process or caller holds the lock `key`; returns its result.
 * @throws LockTimeoutError when the lock was not free within `waitMs`
 * @throws the signal's reason when aborted while waiting; Redis's errors; the errors of `work`
 * @see https://redis.io/docs/latest/develop/clients/patterns/distributed-locks/ (one instance)
 */
export async function withLock<T>(
  redis: Redis,
  key: string,
  options: LockOptions,
  work: () => Promise<T>,
): Promise<T> {
  const holder = randomUUID();
  await acquire(redis, key, holder, options);
  try {
    return await work();
  } finally {
    // The work is done in any case; a lock that is not released expires.
    await RELEASE.on(redis)({ lock: key }, { holder }).catch(() => undefined);
  }
}

async function acquire(
  redis: Redis,
  key: string,
  holder: string,
  { ttlMs, waitMs, pollMs = 50, signal }: LockOptions,
): Promise<void> {
  const deadline = Date.now() + waitMs;
  for (;;) {
    signal?.throwIfAborted();
    if ((await redis.set(key, holder, 'PX', ttlMs, 'NX')) === 'OK') return;
    const left = deadline - Date.now();
    if (left <= 0) throw new LockTimeoutError(key, waitMs);
    // Random, so that waiting callers do not ask at the same time.
    const pauseMs = Math.min(left, pollMs * (0.75 + Math.random() / 2));
    await sleep(pauseMs, undefined, { signal }).catch(() => signal?.throwIfAborted());
  }
}
