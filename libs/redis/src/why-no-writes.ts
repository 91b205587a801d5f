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
