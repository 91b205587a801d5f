import type { Redis } from 'ioredis';
import { answeredByRedis } from './redis-deadline';
import { hasRedisErrorCode, type RedisErrorCode } from './redis-errors';

const CLUSTER_MODE = 'it is in cluster mode, which is not supported';

/** Why Redis refuses writes, for any reader. */
const REASONS: readonly (readonly [code: RedisErrorCode, why: string])[] = [
  ['OOM', 'its memory is full (maxmemory)'],
  ['MISCONF', 'it cannot write to its disk (MISCONF)'],
  ['READONLY', 'it is a read-only replica'],
  ['NOREPLICAS', 'it misses replicas (min-replicas-to-write)'],
  ['NOPERM', 'its user lacks a permission (NOPERM)'],
  ['CROSSSLOT', CLUSTER_MODE],
  ['MOVED', CLUSTER_MODE],
  ['CLUSTERDOWN', CLUSTER_MODE],
];

/** Why Redis refused a write; undefined for other errors and for none. */
export function whyNoWrites(error: unknown): string | undefined {
  return REASONS.find(([code]) => hasRedisErrorCode(error, code))?.[1];
}

/** Shorter than the second that probes of Kubernetes wait by default. */
const REFUSAL_DEADLINE_MS = 900;

/**
 * Why Redis takes no write now, for any reader; undefined where it takes one. Never rejects.
 *
 * SET with XX changes nothing where the key does not exist, and is refused as any other write is.
 *
 * @param key one that never exists
 */
export function redisRefusal(redis: Redis, key: string): Promise<string | undefined> {
  return answeredByRedis(() => redis.set(key, '', 'XX'), REFUSAL_DEADLINE_MS).then(
    () => undefined,
    (error: unknown) => {
      const why = whyNoWrites(error instanceof Error ? (error.cause ?? error) : error);
      return why === undefined ? 'Redis does not answer' : `Redis refuses writes: ${why}`;
    },
  );
}

/** Whether Redis takes writes, by the results of this process's writes. */
export type Writes = ReturnType<typeof createWrites>;

/**
 * Logs one ERROR for each reason for which Redis refuses writes; PING and reads do not show it.
 * @param deps.loss log message: what does not work meanwhile
 */
export function createWrites(deps: {
  logger: { error(fields: object, message: string): void };
  loss: string;
}) {
  let why: string | undefined;
  return {
    /** The result of a write: undefined, or the error. */
    note(error: unknown): void {
      const refused = whyNoWrites(error);
      // An interrupted write shows nothing: a read-only refusal closes the connection.
      if (refused === why || (refused === undefined && error !== undefined)) return;
      why = refused;
      if (why !== undefined) deps.logger.error({ why }, deps.loss);
    },

    /** Why Redis refuses writes; undefined where it takes them. */
    refusal: () => why,
  };
}
