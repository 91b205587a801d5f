import { Redis, type RedisOptions } from 'ioredis';
import { batchWrites } from './batch-writes';
import { keepDatabase, logOutages } from './log-outages';
import type { LoggerLike } from './logger-like';
import type { MissingRights } from './missing-rights';
import { hasRedisErrorCode } from './redis-errors';
import { type RedisTls, tlsOptions } from './tls-options';
import { tolerateNoInfo } from './tolerate-no-info';

/** The shape of the `redis` part of a service's configuration. */
export interface RedisConfigLike {
  /** "" when Redis needs none. With Sentinel it is the master's. */
  password: string;
  /** The ACL user; the default one when not given. */
  username?: string | undefined;
  /** 0 when not given. */
  database?: number;
  /** Put before every key; "" when not given. */
  keyPrefix?: string | undefined;
  /** Encrypts every connection to Redis; none is encrypted when not given. */
  tls?: RedisTls | undefined;
  /** How to sign in at the Sentinels, and how connections to them are encrypted. */
  sentinel?: { username?: string; password?: string; tls?: RedisTls } | undefined;
  address:
    | { kind: 'single'; host: string; port: number }
    | { kind: 'socket'; path: string }
    | { kind: 'sentinel'; name: string; sentinels: { host: string; port: number }[] };
}

export interface RedisDeps {
  redis: RedisConfigLike;
  logger: LoggerLike;
  /** The name of this connection in the log and in Redis's CLIENT LIST. */
  name: string;
  /** That of `redis` when not given. */
  keyPrefix?: string;
  /** Is told the error of every command. */
  missingRights?: Pick<MissingRights, 'note'> | undefined;
}

/** `client` answers requests and must not hang; `worker` is for BullMQ, which waits. */
export type RedisRole = 'client' | 'worker';

const MAX_PAUSE_MS = 1_000;
/** Two addresses of a host, 2.5 s for each (`@cds/network`), and some more. */
const CONNECT_TIMEOUT_MS = 6_000;
const COMMAND_TIMEOUT_MS = 2_000;
/** ioredis keeps the process for as long after `disconnect` where Redis is away or silent. */
const DISCONNECT_TIMEOUT_MS = 200;
/** TCP keeps a connection to a vanished peer open for a quarter of an hour. */
const CLIENT_SILENCE_MS = 4_000;
/** Longer than any command of a worker blocks (BullMQ: 10 s). */
const WORKER_SILENCE_MS = 30_000;

/**
 * Connects to Redis in the background and returns at once. Reconnects without end; each outage is
 * one warning and one line at its end.
 *
 * Role `client`: a command fails at once while Redis is away, when the connection drops, or without
 * an answer within 2 s. A failed command may have been executed. It is never sent twice: not all
 * scripts are safe to repeat.
 *
 * Role `worker`: commands wait for Redis.
 *
 * The passwords of `redis` are read for each new connection, also of duplicates: they may change.
 */
export function connectRedis(deps: RedisDeps, role: RedisRole): Redis {
  const { redis, logger, name, missingRights, keyPrefix = redis.keyPrefix ?? '' } = deps;
  const reconnectOnError = role === 'client' ? lookForMaster() : moveToMaster;
  const connection = new Redis({
    ...addressOptions(redis, logger),
    // A user without a password (nopass) signs in with an empty one.
    ...(redis.username === undefined ? {} : { username: redis.username, password: '' }),
    ...(redis.password ? { password: redis.password } : {}),
    db: redis.database ?? 0,
    keyPrefix,
    // Redis takes printable ASCII alone. CDS makes up names with others: cds-hooks-wise_poincaré.
    connectionName: name.replaceAll(/[^!-~]/g, '-'),
    connectTimeout: CONNECT_TIMEOUT_MS,
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    retryStrategy: pauseWith(redis),
    sentinelRetryStrategy: pauseWith(redis),
    ...(role === 'client' ? CLIENT_OPTIONS : WORKER_OPTIONS),
    reconnectOnError(error) {
      missingRights?.note(error);
      return reconnectOnError(error);
    },
    // The default, named since the type of ioredis' options alone would leave it open.
    replyMapping: 'legacy',
  });
  forDuplicates(connection, tolerateNoInfo);
  batchWrites(connection);
  logOutages(connection, { logger, name, address: describeAddress(redis.address) });
  // After the line in the log: the end of the connection would have one of its own.
  forDuplicates(connection, keepDatabase);
  return connection;
}

/** The same for BullMQ, which adds its own prefix and refuses a connection with one. */
export function withoutKeyPrefix(deps: RedisDeps): RedisDeps {
  return { ...deps, keyPrefix: '' };
}

/** Prepares a connection and all that are made of it: BullMQ duplicates the one that it gets. */
function forDuplicates(connection: Redis, prepare: (connection: Redis) => void): Redis {
  prepare(connection);
  const duplicate = connection.duplicate.bind(connection);
  connection.duplicate = (override) => forDuplicates(duplicate(override), prepare);
  return connection;
}

/** Pauses between two looks for another master while Redis is read-only: 0, then 1, 2, 4 … 30 s. */
const FIRST_LOOK_PAUSE_MS = 1_000;
const MAX_LOOK_PAUSE_MS = 30_000;

/**
 * Reconnects to leave a master that became a replica. Where there is no other master, a new
 * connection does not help, and commands meanwhile would find none.
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
};

/** 2: and send the command again, to the new master. */
function moveToMaster(error: Error): false | 2 {
  return hasRedisErrorCode(error, 'READONLY') ? 2 : false;
}

function addressOptions(
  { address, tls, sentinel = {} }: RedisConfigLike,
  logger: LoggerLike,
): RedisOptions {
  const encryption = tls ? { tls: tlsOptions(tls, logger) } : {};
  if (address.kind === 'socket') return { path: address.path };
  if (address.kind === 'single') return { host: address.host, port: address.port, ...encryption };
  return {
    ...encryption,
    enableTLSForSentinelMode: tls !== undefined,
    ...(sentinel.tls ? { sentinelTLS: tlsOptions(sentinel.tls, logger) } : {}),
    ...(sentinel.username === undefined ? {} : { sentinelUsername: sentinel.username }),
    ...(sentinel.password === undefined ? {} : { sentinelPassword: sentinel.password }),
    name: address.name,
    sentinels: address.sentinels,
    sentinelCommandTimeout: COMMAND_TIMEOUT_MS,
  };
}

/** Called by ioredis as a method of the connection's options, which it reads for the next one. */
function pauseWith(redis: RedisConfigLike) {
  return function (this: RedisOptions, attempt: number): number {
    if (redis.password) this.password = redis.password;
    if (redis.sentinel?.password) this.sentinelPassword = redis.sentinel.password;
    // Milliseconds: 50, 100, 150 … 1,000.
    return Math.min(attempt * 50, MAX_PAUSE_MS);
  };
}

/** The address as configured; never the password. */
function describeAddress(address: RedisConfigLike['address']): string {
  if (address.kind === 'socket') return address.path;
  if (address.kind === 'single') return `${address.host}:${address.port}`;
  const sentinels = address.sentinels.map(({ host, port }) => `${host}:${port}`);
  return `${address.name}@${sentinels.join(',')}`;
}
