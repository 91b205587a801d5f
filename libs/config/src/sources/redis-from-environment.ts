import { ConfigError, type ConfigProblem, problemAt } from '../config-problem';
import type { RedisConfig } from '../config-types';
import { commonSections } from '../keys/common-sections';
import { readEnvironment } from './environment';
import { readRedis } from './read-redis';
import { readSections } from './read-sections';
import { Reading } from './reading';

const { redis } = commonSections('hooks', 0);
const OF_HOOKS = 'CDS_HOOKS_CACHE_REDIS_';

/**
 * A Redis that no service uses, by the keys of `[….cache.redis]`: `PREFIX_HOST`, `PREFIX_PASSWORD`,
 * `PREFIX_PASSWORD_FILE` and so on.
 *
 * @throws ConfigError with everything that is wrong
 */
export function redisFromEnvironment(env: NodeJS.ProcessEnv, prefix: string): RedisConfig {
  const own = `${prefix}_`;
  const given = Object.entries(env).filter(([name]) => name.toUpperCase().startsWith(own));
  const renamed = given.map(([name, value]) => [OF_HOOKS + name.slice(own.length), value] as const);
  const variables = readEnvironment(Object.fromEntries(renamed), ['hooks']);
  const problems: ConfigProblem[] = variables.problems.map(({ variable, message }) =>
    problemAt({ key: variable }, 'error', message),
  );
  const reading = new Reading(undefined, variables, problems);
  const values = readSections(reading, { redis });
  const nameOf = (key: string) => `${OF_HOOKS}${key}`.toUpperCase();
  const config = readRedis(reading, values.redis, (key) => ({
    key: variables.givenBy(nameOf(key)),
  }));
  const errors = problems.filter(({ level }) => level === 'error');
  if (errors.length === 0) return config;
  const named = (text: string) => text.replaceAll(OF_HOOKS, own);
  throw new ConfigError(
    errors.map((error) => ({ ...error, key: named(error.key), message: named(error.message) })),
  );
}
