import { formatRedisAddress, type LoadedConfig, type ServiceName } from '@cds/config';
import { connectRedis, type RedisConfigLike, whenReady } from '@cds/redis';
import type { Redis } from 'ioredis';
import { CommandError, reasonOf } from './command-error';
import type { Context } from './context';
import { requireConfig } from './load-config';

const CONNECT_MS = 5_000;

/**
 * Runs commands on the Redis of a service; ends within seven seconds when Redis is silent, and at
 * once when it refuses.
 * @throws CommandError saying what to do about the configuration or about Redis
 */
export async function withServiceRedis<S extends ServiceName, T>(
  service: S,
  files: readonly string[] | undefined,
  context: Context,
  work: (redis: Redis, config: NonNullable<LoadedConfig[S]>) => Promise<T>,
): Promise<T> {
  const how = ': name its file with --config, or set its environment.';
  const config = requireConfig(service, files, context, how);
  const advice =
    `look whether it runs, and whether [${service}.cache.redis] of the configuration ` +
    `(or CDS_${service.toUpperCase()}_CACHE_REDIS_HOST, …_PASSWORD and …_DBINDEX) is the one that ${service} uses.`;
  return withRedis(config.redis, advice, (redis) => work(redis, config));
}

/**
 * @param advice what to look at when Redis does not answer
 * @throws CommandError
 */
export async function withRedis<T>(
  config: RedisConfigLike,
  advice: string,
  work: (redis: Redis) => Promise<T>,
): Promise<T> {
  try {
    return await askRedis(config, work);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    const address = formatRedisAddress(config.address);
    throw new CommandError(`Redis at ${address} cannot be asked (${reasonOf(error)}): ${advice}`);
  }
}

/** @throws Error saying why Redis cannot be asked, and what `work` throws */
export async function askRedis<T>(
  config: RedisConfigLike,
  work: (redis: Redis) => Promise<T>,
): Promise<T> {
  let reason = `no answer within ${CONNECT_MS / 1_000} s`;
  const logger = {
    info: () => undefined,
    warn: (fields: object) => {
      if (!('reason' in fields)) return;
      reason = String(fields.reason);
      // Behind Sentinels another one may answer in a moment.
      if (config.address.kind === 'single') redis.disconnect();
    },
  };
  const redis = connectRedis({ redis: config, logger, name: 'engine' }, 'client');
  try {
    await whenReady(redis, CONNECT_MS);
    if (redis.status !== 'ready') throw new Error(reason);
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}
