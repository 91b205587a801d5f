import { Redis, type RedisOptions } from 'ioredis';
import { batchWrites } from './batch-writes';
import { logOutages } from './log-outages';
import type { LoggerLike } from './logger-like';
import { hasRedisErrorCode } from './redis-errors';

/** The shape of the `redis` part of a service's configuration. */
export interface RedisConfigLike {
  /** Empty when Redis asks for none. With Sentinel it is the master's. */
  password: string;
  /** The user of an ACL; the default one when not given. */
  username?: string | undefined;
  /** 0 when not given. */
  database?: number;
  /** Put before every key; empty when not given. */
  keyPrefix?: string | undefined;
  address:
    | { kind: 'single'; host: string; port: number }
    | { kind: 'sentinel'; name: string; sentinels: { host: string; port: number }[] };
}

export interface RedisDeps {
  redis: RedisConfigLike;
  logger: LoggerLike;
  /** Which connection this is, in the log and in Redis's CLIENT LIST. */
  name: string;
}

/** `client` answers requests and must not hang; `worker` is for BullMQ, which waits by itself. */
export type RedisRole = 'client' | 'worker';

const MAX_PAUSE_MS = 1_000;
/** Two addresses of a host, 2.5 s for each (`@cds/network`), and some more. */
const CONNECT_TIMEOUT_MS = 6_000;
const COMMAND_TIMEOUT_MS = 2_000;
/** A peer that vanished without a word keeps a TCP connection "open" for a quarter of an hour. */
const CLIENT_SILENCE_MS = 4_000;
/** Longer than any command of a worker blocks (BullMQ: 10 s). */
const WORKER_SILENCE_MS = 30_000;

/**
 * Connects to Redis in the background and returns at once. The connection comes back by itself, for
 * ever; each outage is one warning in the log and one line when it is over.
 *
 * Role `client`: while Redis is away a command fails at once, one that is under way fails when the
 * connection drops, and one that is not answered fails after 2 s. A failed command may still have
 * been done. It is never sent a second time: our scripts are not all safe to repeat.
 *
 * Role `worker`: commands wait for Redis to come back.
 */
export function connectRedis({ redis, logger, name }: RedisDeps, role: RedisRole): Redis {
  const connection = new Redis({
    ...addressOptions(redis),
    ...(redis.username === undefined ? {} : { username: redis.username }),
    ...(redis.password ? { password: redis.password } : {}),
    db: redis.database ?? 0,
    keyPrefix: redis.keyPrefix ?? '',
    connectionName: name.replaceAll(/\s/g, '-'),
    connectTimeout: CONNECT_TIMEOUT_MS,
    retryStrategy: pause,
    ...(role === 'client'
      ? { ...CLIENT_OPTIONS, reconnectOnError: lookForMaster() }
      : WORKER_OPTIONS),
    // The default, named since the type of ioredis' options alone would leave it open.
    replyMapping: 'legacy',
  });
  batchWrites(connection);
  logOutages(connection, { logger, name, address: describeAddress(redis.address) });
  return connection;
}

/**
 * The same for BullMQ, which refuses a connection with a key prefix: it puts its own before its
 * keys.
 */
export function withoutKeyPrefix(deps: RedisDeps): RedisDeps {
  return { ...deps, redis: { ...deps.redis, keyPrefix: '' } };
}

/**
 * Between two looks for another master while Redis stays read-only: at once, then 1, 2, 4 … 30 s.
 */
const FIRST_LOOK_PAUSE_MS = 1_000;
const MAX_LOOK_PAUSE_MS = 30_000;

/**
 * A master that became a replica after a failover is left for the new one. Where there is no other,
 * a new connection helps nothing, and what is asked meanwhile would find none.
 */
function lookForMaster(): (error: Error) => boolean {
  let pauseMs = 0;
  let lastAt = -Infinity;
  return (error) => {
    if (!hasRedisErrorCode(error, 'READONLY')) return false;
    const sinceMs = performance.now() - lastAt;
    if (sinceMs < pauseMs) return false;
    const isNew = sinceMs > 2 * MAX_LOOK_PAUSE_MS;
    pauseMs = isNew ? FIRST_LOOK_PAUSE_MS : Math.min(2 * pauseMs, MAX_LOOK_PAUSE_MS);
    lastAt = performance.now();
    return true;
  };
}

const CLIENT_OPTIONS: RedisOptions = {
  commandTimeout: COMMAND_TIMEOUT_MS,
  socketTimeout: CLIENT_SILENCE_MS,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
};

const WORKER_OPTIONS: RedisOptions = {
  socketTimeout: WORKER_SILENCE_MS,
  maxRetriesPerRequest: null,
  // 2: and send the command again, to the new master.
  reconnectOnError: (error) => (hasRedisErrorCode(error, 'READONLY') ? 2 : false),
};

function addressOptions({ address }: RedisConfigLike): RedisOptions {
  if (address.kind === 'single') return { host: address.host, port: address.port };
  return {
    name: address.name,
    sentinels: address.sentinels,
    sentinelCommandTimeout: COMMAND_TIMEOUT_MS,
    sentinelRetryStrategy: pause,
  };
}

/** Milliseconds before the next try: 50, 100, 150 … 1,000. */
function pause(attempt: number): number {
  return Math.min(attempt * 50, MAX_PAUSE_MS);
}

/** The address as the operator wrote it; never the password. */
function describeAddress(address: RedisConfigLike['address']): string {
  if (address.kind === 'single') return `${address.host}:${address.port}`;
  const sentinels = address.sentinels.map(({ host, port }) => `${host}:${port}`);
  return `${address.name}@${sentinels.join(',')}`;
}
