import { ConfigError, redisFromEnvironment } from '@cds/config';
import type { RedisConfigLike } from '@cds/redis';
import { usageError } from '../command-error';

/**
 * What the variables of the Redis to import from begin with; the rest is as for that of `hooks`.
 */
const PREFIX = 'CDS_IMPORT_REDIS';
/** Its password: on the command line everybody would see it. */
export const IMPORT_PASSWORD = `${PREFIX}_PASSWORD`;
const HOST = `${PREFIX}_HOST`;

/**
 * The Redis that `--from` names, with the variables `CDS_IMPORT_REDIS_…` for its password, TLS
 * files and so on.
 *
 * @throws CommandError for what is wrong, and for a password in `--from`
 */
export function sourceAddress(text: string, env: NodeJS.ProcessEnv): RedisConfigLike {
  if (/^\w+:\/\/[^/:@]*:[^/]*@/.test(text))
    throw usageError(
      `--from takes no password, which everybody on this machine could read: put it into ${IMPORT_PASSWORD}.`,
    );
  if (text.trim() === '') throw usageError('--from is empty: name the Redis to import from.');
  try {
    // CDS's own hooks knows of no key prefix.
    return { ...redisFromEnvironment({ ...env, [HOST]: text }, PREFIX), keyPrefix: '' };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const sentences = error.problems.map(({ key, message }) => `${key} ${message}`);
    throw usageError(`${sentences.join('; ').replaceAll(HOST, '--from')}.`);
  }
}
