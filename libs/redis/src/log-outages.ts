import type { Redis } from 'ioredis';
import type { LoggerLike } from './logger-like';
import { outageAdvice, plainReason } from './outage-advice';
import { hasRedisErrorCode } from './redis-errors';

/** Redis before 6.0 refuses a password without an error code. */
const OLD_REFUSAL = /\bERR (AUTH|invalid password|Client sent AUTH)\b/;

/** ioredis gives the last refusal of a Sentinel in it. */
const FROM_SENTINEL = /^All sentinels are unreachable/;
const PASSWORD = 'Redis refuses the password: correct cache.redis.password';
const SENTINEL_PASSWORD = 'Sentinel refuses the password: correct cache.redis.sentinelPassword';

/**
 * Logs one warning for a lost or failed connection, one for a refused password or database, and one
 * line at recovery. Without a listener of `error` ioredis would print every failed attempt.
 */
export function logOutages(
  connection: Redis,
  { logger, name, address }: { logger: LoggerLike; name: string; address: string },
): void {
  let since: number | undefined;
  let reported = '';
  let closing = false;

  const beginOutage = (message: string): void => {
    const advice = outageAdvice(message);
    // A refused client certificate may first be seen as a connection that is reset.
    const isKnown = since !== undefined && (advice === undefined || advice === reported);
    if (isKnown || closing) return;
    since ??= Date.now();
    reported = advice ?? reported;
    const plain = plainReason(message);
    const reason = advice === undefined ? plain : `${plain}: ${advice}`;
    logger.warn(
      { connection: name, address, reason },
      'Redis cannot be reached; trying again until it answers',
    );
  };

  const reportRefusal = (reason: string, message: string): void => {
    since ??= Date.now();
    if (reported === message || closing) return;
    reported = message;
    logger.warn({ connection: name, address, reason }, message);
  };

  // Only the message: the error of a refused AUTH carries the password among the command's
  // arguments.
  connection.on('error', (error: Error) => {
    const { message } = error;
    const refusal = databaseRefusal(error);
    if (refusal !== undefined) {
      reportRefusal(message, refusal);
    } else if (OLD_REFUSAL.test(message) || hasRedisErrorCode(error, 'WRONGPASS', 'NOAUTH')) {
      reportRefusal(message, FROM_SENTINEL.test(message) ? SENTINEL_PASSWORD : PASSWORD);
    } else {
      beginOutage(message);
    }
  });
  connection.on('reconnecting', () => beginOutage('connection closed'));
  connection.on('ready', () => {
    if (since === undefined) return;
    logger.info({ connection: name, address, outageMs: Date.now() - since }, 'Redis is back');
    since = undefined;
    reported = '';
  });
  connection.on('end', () => (closing = true));
  connection.on('connecting', () => (closing = false));
}

/** The database does not exist, or is not the first one in cluster mode. */
const NO_DATABASE = /DB index is out of range|SELECT is not allowed in cluster mode/;

/** Connects again where Redis refuses the database: ioredis would go on in that of others, 0. */
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
