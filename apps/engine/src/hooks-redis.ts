import { formatProblem, isConfigError, loadConfig, type RedisConfig } from '@cds/config';
import { connectRedis, whenReady } from '@cds/redis';
import type { Redis } from 'ioredis';
import { CommandError } from './command-error';
import type { Context } from './context';

const CONNECT_MS = 5_000;

/**
 * Runs commands on the Redis of `hooks`. Ends within about seven seconds when Redis is away or falls silent.
 *
 * @throws CommandError saying what to do about the configuration or about Redis
 */
export async function withHooksRedis<T>(
  file: string | undefined,
  context: Context,
  work: (redis: Redis) => Promise<T>,
): Promise<T> {
  const config = readRedisConfig(file, context);
  let reason = `no answer within ${CONNECT_MS / 1_000} s`;
  const logger = {
    info: () => undefined,
    warn: (fields: object) => {
      if ('reason' in fields) reason = String(fields.reason);
    },
  };
  const redis = connectRedis({ redis: config, logger, name: 'engine' }, 'client');
  try {
    await whenReady(redis, CONNECT_MS);
    if (redis.status !== 'ready') throw redisError(config, reason);
    return await work(redis);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    // Only the message: errors of Redis carry the command, and with it what was stored.
    throw redisError(config, error instanceof Error ? error.message : String(error));
  } finally {
    redis.disconnect();
  }
}

function redisError({ address }: RedisConfig, reason: string): CommandError {
  const where =
    address.kind === 'single'
      ? `${address.host}:${address.port}`
      : `${address.name}@${address.sentinels.map(({ host, port }) => `${host}:${port}`).join(',')}`;
  return new CommandError(
    `Redis at ${where} cannot be asked (${reason}): look whether it runs, and whether [hooks.cache.redis] of the configuration (or CDS_HOOKS_CACHE_REDIS_HOST and …_PASSWORD) is the one that hooks uses.`,
  );
}

function readRedisConfig(file: string | undefined, context: Context): RedisConfig {
  try {
    const { hooks } = loadConfig({ services: ['hooks'], file, env: context.env });
    if (hooks) return hooks.redis;
  } catch (error) {
    if (!isConfigError(error)) throw error;
    error.problems.forEach((problem) => context.say(formatProblem(problem)));
  }
  throw new CommandError(
    'the configuration of hooks is not complete: name its file with --config, or set its environment.',
  );
}
