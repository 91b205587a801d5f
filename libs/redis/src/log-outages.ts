import type { Redis } from 'ioredis';
import { databaseRefusal } from './keep-database';
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
