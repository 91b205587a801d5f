import type { Redis } from 'ioredis';
import type { LoggerLike } from './connect-redis';

/** Redis answers, but not to us: waiting does not mend that. */
const REFUSAL = /^(WRONGPASS|NOAUTH|NOPERM|ERR AUTH|ERR invalid password)\b/;

/**
 * Logs one warning when the connection is lost or cannot be made, one when Redis refuses the password, and
 * one line when all is well again. Without a listener of `error` ioredis would print every failed attempt.
 */
export function logOutages(
  connection: Redis,
  { logger, name, address }: { logger: LoggerLike; name: string; address: string },
): void {
  let since: number | undefined;
  let toldOfRefusal = false;
  let closing = false;

  const beginOutage = (reason: string): void => {
    if (since !== undefined || closing) return;
    since = Date.now();
    logger.warn(
      { connection: name, address, reason },
      'Redis cannot be reached; trying again until it answers',
    );
  };

  const tellOfRefusal = (reason: string): void => {
    since ??= Date.now();
    if (toldOfRefusal || closing) return;
    toldOfRefusal = true;
    logger.warn(
      { connection: name, address, reason },
      'Redis refuses the password: correct cache.redis.password',
    );
  };

  // Only the message: the error of a refused AUTH carries the password among the command's arguments.
  connection.on('error', ({ message }: Error) =>
    REFUSAL.test(message) ? tellOfRefusal(message) : beginOutage(message),
  );
  connection.on('reconnecting', () => beginOutage('connection closed'));
  connection.on('ready', () => {
    if (since === undefined) return;
    logger.info({ connection: name, address, outageMs: Date.now() - since }, 'Redis is back');
    since = undefined;
    toldOfRefusal = false;
  });
  connection.on('end', () => (closing = true));
  connection.on('connecting', () => (closing = false));
}
