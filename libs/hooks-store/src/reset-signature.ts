import { defineScript } from '@cds/redis';
import type { Redis } from 'ioredis';
import { hookKeys, SIGNED_FIELD } from './redis-keys';

/** KEYS task · ARGV field · Returns `unknown` | `unsigned` | `ok` */
const RESET_SIGNATURE = `
if redis.call('EXISTS', KEYS[1]) == 0 then return 'unknown' end
return redis.call('HDEL', KEYS[1], ARGV[1]) == 1 and 'ok' or 'unsigned'
`;

/**
 * Prepares to forget that a task has seen a right signature, so that with `signature = "auto"` its unsigned deliveries
 * are taken again until the next right one.
 *
 * @returns a function of the task's uuid; `unsigned`: there was nothing to forget
 */
export function createResetSignature({ redis }: { redis: Redis }) {
  const script = defineScript(redis, 'cdsbbResetSignature', RESET_SIGNATURE, 1);
  return async (uuid: string): Promise<'ok' | 'unsigned' | 'unknown'> =>
    (await script([hookKeys(uuid).task], [SIGNED_FIELD])) as 'ok' | 'unsigned' | 'unknown';
}
