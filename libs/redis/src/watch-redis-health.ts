import type { Redis } from 'ioredis';
import type { LoggerLike } from './logger-like';
import { isInClusterMode, redisHealthWarnings } from './redis-health-warnings';

/** The refusal of a database other than the first, before the connection. */
const NO_SELECT = /SELECT is not allowed in cluster mode/;

const CLUSTER_MODE =
  'Redis is in cluster mode, which is not supported: give cache.redis one that is not ' +
  '(cluster-enabled no); for high availability name its Sentinels';

export type RedisHealth = ReturnType<typeof watchRedisHealth>;

/**
 * Checks the settings of Redis at each connection, since it may be another one after a failover,
 * and logs each new warning. Cluster mode is an ERROR: our scripts use keys of several slots.
 */
export function watchRedisHealth(
  redis: Redis,
  deps: {
    logger: LoggerLike & { error(fields: object, message: string): void };
    /** Log message: what is in danger. */
    loss: string;
    /** Called, after an ERROR, when the first Redis that answers is in cluster mode. */
    onClusterMode?: (() => void) | undefined;
  },
) {
  const { logger, loss, onClusterMode } = deps;
  let current: readonly string[] = [];

  /** As of the last Redis that answered; undefined before the first. */
  let inClusterMode: boolean | undefined;
  let isUsable = (): void => undefined;
  const usable = new Promise<void>((resolve) => (isUsable = resolve));

  function noteMode(isCluster: boolean): void {
    const before = inClusterMode;
    inClusterMode = isCluster;
    if (!isCluster || before === true) return;
    logger.error({}, CLUSTER_MODE);
    // A Redis that was usable before is expected back, as after any outage.
    if (before === undefined) onClusterMode?.();
  }

  async function look(): Promise<void> {
    let warnings: string[];
    try {
      const isCluster = await isInClusterMode(redis);
      if (isCluster !== undefined) noteMode(isCluster);
      if (isCluster !== true) isUsable();
      warnings = await redisHealthWarnings(redis);
    } catch {
      // Away again: the next connection repeats the check.
      return;
    }
    for (const warning of warnings) {
      if (!current.includes(warning)) logger.warn({ warning }, loss);
    }
    if (current.length > 0 && warnings.length === 0) {
      logger.info({}, 'Redis is configured as it should be again');
    }
    current = warnings;
  }

  redis.on('error', ({ message }: Error) => {
    if (NO_SELECT.test(message)) noteMode(true);
  });
  redis.on('ready', () => void look());
  if (redis.status === 'ready') void look();
  return {
    /** As of the last connection; without a call of Redis. */
    warnings: () => current,
    /** Resolves when a Redis answers that is not in cluster mode, or may not be. Never rejects. */
    usable,
  };
}
