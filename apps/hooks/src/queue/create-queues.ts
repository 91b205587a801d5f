import { connectRedis, type RedisConfigLike, withoutKeyPrefix } from '@cds/redis';
import type { Logger } from '@cds/service';
import type { Redis } from 'ioredis';
import { createApiOutage } from './api-outage';
import { createCleanupQueue } from './cleanup-queue';
import { createHookQueue } from './hook-queue';
import { isHookJobId } from './job-ids';

export type Queues = ReturnType<typeof createQueues>;

/** The queues of BullMQ, and the jobs in them that wait for the API. */
export function createQueues(deps: {
  redis: Redis;
  config: { name: string; redis: RedisConfigLike & { keyPrefix: string }; disable: boolean };
  logger: Logger;
}) {
  const { redis, config, logger } = deps;
  const { keyPrefix } = config.redis;
  // BullMQ refuses a connection with a key prefix; where there is none, one connection does.
  const own = { redis: config.redis, logger, name: `${config.name}-queues` };
  const queueRedis = keyPrefix === '' ? redis : connectRedis(withoutKeyPrefix(own), 'client');
  const hooks = createHookQueue({ redis: queueRedis, keyPrefix, logger });
  const cleanups = createCleanupQueue({ redis: queueRedis, keyPrefix, logger });
  const apiOutage = createApiOutage({
    redis,
    logger,
    queueOf: (jobId) => (isHookJobId(jobId) ? hooks.queue : cleanups.queue),
  });

  return {
    hooks,
    cleanups,
    apiOutage,

    /** The `waiting`-th delivery that waits at a hook is in Redis. */
    arrived(uuid: string, waiting: number): void {
      if (!config.disable) hooks.arrived(uuid, waiting);
    },

    /** A hook has something to do, whatever pauses at it. */
    resume(uuid: string): void {
      if (!config.disable) hooks.goOnSoon(uuid);
    },

    /** Resolves when they are closed, or after half a second. */
    async close(): Promise<void> {
      await Promise.race([
        Promise.allSettled([hooks.close(), cleanups.close()]),
        new Promise((resolve) => setTimeout(resolve, 500).unref()),
      ]);
      if (queueRedis !== redis) queueRedis.disconnect();
    },
  };
}
