import { ConfigError, type ConfigProblem } from '../config-problem';
import type { RedisConfig } from '../config-types';
import { commonSections } from '../keys/common-sections';
import { readEnvironment } from './environment';
import { readRedis } from './read-redis';
import { readSections } from './read-sections';
import { Reading } from './reading';

const { redis } = commonSections('hooks', 0);

/**
 * A Redis that no service uses, by the keys of `[….cache.redis]`: `PREFIX_HOST`, `PREFIX_PASSWORD`
 * and so on.
 *
 * @throws ConfigError with everything that is wrong
 */
export function redisFromEnvironment(env: NodeJS.ProcessEnv, prefix: string): RedisConfig {
  const problems: ConfigProblem[] = [];
  const reading = new Reading(undefined, readEnvironment(env), problems);
  const nameOf = (key: string) => `${prefix}_${key}`.toUpperCase();
  const values = readSections(reading, { redis }, () => ({
    table: undefined,
    envNames: (key) => [nameOf(key)],
  }));
  const config = readRedis(reading, values.redis, (key) => ({ key: nameOf(key) }));
  const errors = problems.filter(({ level }) => level === 'error');
  if (errors.length > 0) throw new ConfigError(errors);
  return config;
}
