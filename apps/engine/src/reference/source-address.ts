import { parseRedisAddress } from '@cds/config';
import type { RedisConfigLike } from '@cds/redis';
import { usageError } from '../command-error';

/** The password of the Redis to import from: on the command line everybody would see it. */
export const IMPORT_PASSWORD = 'CDS_IMPORT_REDIS_PASSWORD';

const FORMS =
  'host:port, name@sentinel1:26379,sentinel2:26379 for Redis Sentinel, or redis://user@host:port/database, with rediss: for TLS';

/** The Redis that `--from` names. @throws CommandError for no address, or one with a password */
export function sourceAddress(text: string, password: string): RedisConfigLike {
  if (!text.includes('://')) {
    const address = parseRedisAddress(text);
    if (!address) throw usageError(`--from takes ${FORMS}.`);
    return { address, password };
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.password) {
    throw usageError(
      `--from takes no password, which everybody on this machine could read: put it into ${IMPORT_PASSWORD}.`,
    );
  }
  const database = /^\/?(\d{0,4})$/.exec(url?.pathname ?? '?')?.[1];
  const address = url && parseRedisAddress(url.host);
  const isRedis = url?.protocol === 'redis:' || url?.protocol === 'rediss:';
  if (!isRedis || !address || database === undefined || url.search || url.hash)
    throw usageError(`--from takes ${FORMS}.`);
  const username = decodeURIComponent(url.username) || undefined;
  const tls = url.protocol === 'rediss:' ? { rejectUnauthorized: true } : undefined;
  return { address, password, username, database: Number(database), tls };
}
