import {
  connectRedis,
  type MissingRights,
  type RedisConfigLike,
  withoutKeyPrefix,
} from '@cds/redis';
import { hookJobId } from '@cds/hooks-store';
import type { Logger } from '@cds/service';
import type { Redis } from 'ioredis';
import { createApiOutage } from './api-outage';
import { createCleanupQueue } from './cleanup-queue';
import { createHookQueue } from './hook-queue';
import { createMaintenance } from './maintenance';

export type Queues = ReturnType<typeof createQueues>;

/** BullMQ's queues, and which of their jobs pause for the API. */
export function createQueues(deps: {
  redis: Redis;
  config: { name: string; redis: RedisConfigLike & { keyPrefix: string }; disable: boolean };
  logger: Logger;
  missingRights?: MissingRights;
}) {
  const { redis, config, logger, missingRights } = deps;
  const { keyPrefix } = config.redis;
  // BullMQ refuses a connection with a key prefix.
  const own = { redis: config.redis, logger, missingRights, name: `${config.name}-queues` };
  const queueRedis = keyPrefix === '' ? redis : connectRedis(withoutKeyPrefix(own), 'client');
  const hooks = createHookQueue({ redis: queueRedis, keyPrefix, logger });
  const cleanups = createCleanupQueue({ redis: queueRedis, keyPrefix, logger });
  const apiOutage = createApiOutage({
    redis,
    logger,
    queueOf: (jobId) => (jobId.startsWith(hookJobId('')) ? hooks.queue : cleanups.queue),
  });

  /** @returns whether the hook needs no job */
  let atOnce: ((uuid: string, waiting: number) => boolean) | undefined;

  return {
    hooks,
    cleanups,
    apiOutage,
    maintenance: createMaintenance({ hooks, cleanups, logger }),

    /** A message is stored, the `waiting`-th pending execution of its hook. */
    arrived(uuid: string, waiting: number): void {
      if (!config.disable) hooks.arrived(uuid, waiting);
    },

    /** A delivery is stored. Where its hook was idle, this process processes it without a job. */
    stored(uuid: string, { waiting, isPaused }: { waiting: number; isPaused: boolean }): void {
      if (config.disable || (!isPaused && atOnce?.(uuid, waiting))) return;
      hooks.arrived(uuid, waiting);
    },

    /** @param process undefined while this process works on nothing */
    processAtOnce(process: typeof atOnce): void {
      atOnce = process;
    },

    /** A hook has an execution to process now, even if others of it pause. */
    async resume(uuid: string): Promise<void> {
      if (!config.disable) await hooks.resume(uuid);
    },

    /** Resolves after half a second at most. */
    async close(): Promise<void> {
      await Promise.race([
        Promise.allSettled([hooks.close(), cleanups.close()]),
        new Promise((resolve) => setTimeout(resolve, 500).unref()),
      ]);
      if (queueRedis !== redis) queueRedis.disconnect();
    },
  };
}
