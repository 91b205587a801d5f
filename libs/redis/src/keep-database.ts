import type { Redis } from 'ioredis';
import { hasRedisErrorCode } from './redis-errors';

/** The database does not exist, or is not the first one in cluster mode. */
const NO_DATABASE = /DB index is out of range|SELECT is not allowed in cluster mode/;

/**
 * Connects again where Redis refuses the configured database: ioredis would go on in database 0,
 * which belongs to others.
 */
export function keepDatabase(connection: Redis): void {
  connection.on('error', (error: Error) => {
    if (databaseRefusal(error) !== undefined) connection.disconnect(true);
  });
}

/** What an operator has to do; undefined for any other error. */
export function databaseRefusal(
  error: Error & { command?: { name?: string } },
): string | undefined {
  if (error.name !== 'ReplyError' || error.command?.name !== 'select') return undefined;
  if (NO_DATABASE.test(error.message))
    return 'Redis has no such database: correct cache.redis.dbindex';
  // A hosted Redis has a sentence of its own, or does not know the command.
  return hasRedisErrorCode(error, 'NOPERM')
    ? 'Redis forbids its user to choose cache.redis.dbindex: allow select, or use database 0'
    : 'Redis refuses SELECT: set cache.redis.dbindex to 0';
}
