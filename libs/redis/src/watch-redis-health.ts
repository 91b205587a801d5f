import type { Redis } from 'ioredis';
import type { LoggerLike } from './connect-redis';
import { redisHealthWarnings } from './redis-health-warnings';

export interface RedisHealth {
  /** As of the last connection; nothing is asked for this. */
  warnings(): readonly string[];
}

/**
 * Looks at each connection how Redis is set up, since it may be another Redis after a failover, and logs each warning
 * when it is new: at the start, and once after each change for the worse.
 *
 * @param loss the log's message: what is in danger
 */
export function watchRedisHealth(
  redis: Redis,
  { logger, loss }: { logger: LoggerLike; loss: string },
): RedisHealth {
  let current: readonly string[] = [];

  async function look(): Promise<void> {
    let warnings: string[];
    try {
      warnings = await redisHealthWarnings(redis);
    } catch {
      // Away again: the next connection looks again, and what was known stays known.
      return;
    }
    for (const warning of warnings) {
      if (!current.includes(warning)) logger.warn({ warning }, loss);
    }
    if (current.length > 0 && warnings.length === 0) {
      logger.info({}, 'Redis is set up as it should be now');
    }
    current = warnings;
  }

  redis.on('ready', () => void look());
  if (redis.status === 'ready') void look();
  return { warnings: () => current };
}
