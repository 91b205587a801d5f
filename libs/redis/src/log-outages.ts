import type { Redis } from 'ioredis';
import type { LoggerLike } from './connect-redis';

/**
 * Logs one warning when the connection is lost or cannot be made, and one line when it is back. Without
 * a listener of `error` ioredis would print every failed attempt.
 */
export function logOutages(
  connection: Redis,
  { logger, name, address }: { logger: LoggerLike; name: string; address: string },
): void {
  let since: number | undefined;
  let closing = false;

  const beginOutage = (reason: string): void => {
    if (since !== undefined || closing) return;
    since = Date.now();
    logger.warn(
      { connection: name, address, reason },
      'Redis cannot be reached; trying again until it answers',
    );
  };

  // Only the message: the error of a refused AUTH carries the password among the command's arguments.
  connection.on('error', (error: Error) => beginOutage(error.message));
  connection.on('reconnecting', () => beginOutage('connection closed'));
  connection.on('ready', () => {
    if (since === undefined) return;
    logger.info({ connection: name, address, outageMs: Date.now() - since }, 'Redis is back');
    since = undefined;
  });
  connection.on('end', () => (closing = true));
  connection.on('connecting', () => (closing = false));
}
