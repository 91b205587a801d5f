import {
  formatProblem,
  formatRedisAddress,
  type HooksConfig,
  isConfigError,
  loadConfig,
} from '@cds/config';
import { connectRedis, type RedisConfigLike, whenReady } from '@cds/redis';
import type { Redis } from 'ioredis';
import { CommandError } from './command-error';
import type { Context } from './context';

const CONNECT_MS = 5_000;
const OF_HOOKS =
  'look whether it runs, and whether [hooks.cache.redis] of the configuration (or CDS_HOOKS_CACHE_REDIS_HOST, …_PASSWORD and …_DBINDEX) is the one that hooks uses.';

/**
 * Runs commands on the Redis of `hooks`. Ends within about seven seconds when Redis is away or falls silent.
 *
 * @throws CommandError saying what to do about the configuration or about Redis
 */
export async function withHooksRedis<T>(
  files: readonly string[] | undefined,
  context: Context,
  work: (redis: Redis, hooks: HooksConfig) => Promise<T>,
): Promise<T> {
  const hooks = readHooksConfig(files, context);
  return withRedis(hooks.redis, OF_HOOKS, (redis) => work(redis, hooks));
}

/**
 * Runs commands on a Redis.
 *
 * @param advice what to look at when it cannot be asked
 * @throws CommandError
 */
export async function withRedis<T>(
  config: RedisConfigLike,
  advice: string,
  work: (redis: Redis) => Promise<T>,
): Promise<T> {
  let reason = `no answer within ${CONNECT_MS / 1_000} s`;
  const logger = {
    info: () => undefined,
    warn: (fields: object) => {
      if ('reason' in fields) reason = String(fields.reason);
    },
  };
  const fail = (why: string) =>
    new CommandError(
      `Redis at ${formatRedisAddress(config.address)} cannot be asked (${why}): ${advice}`,
    );
  const redis = connectRedis({ redis: config, logger, name: 'engine' }, 'client');
  try {
    await whenReady(redis, CONNECT_MS);
    if (redis.status !== 'ready') throw fail(reason);
    return await work(redis);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    // Only the message: errors of Redis carry the command, and with it what was stored.
    throw fail(error instanceof Error ? error.message : String(error));
  } finally {
    redis.disconnect();
  }
}

function readHooksConfig(files: readonly string[] | undefined, context: Context): HooksConfig {
  try {
    const { hooks } = loadConfig({ services: ['hooks'], files, env: context.env });
    if (hooks) return hooks;
  } catch (error) {
    if (!isConfigError(error)) throw error;
    error.problems.forEach((problem) => context.say(formatProblem(problem)));
  }
  throw new CommandError(
    'the configuration of hooks is not complete: name its file with --config, or set its environment.',
  );
}
