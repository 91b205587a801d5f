import { defineScript, replies } from '@cds/redis';
import type { Redis } from 'ioredis';
import { hookKeys, SIGNED_FIELD } from './redis-keys';

const RESET_SIGNATURE = defineScript({
  name: 'cdsbbResetSignature',
  keys: ['task'],
  args: [],
  reply: replies.oneOf('unknown', 'unsigned', 'ok'),
  lua: (K) => `
if redis.call('EXISTS', ${K.task}) == 0 then return 'unknown' end
return redis.call('HDEL', ${K.task}, '${SIGNED_FIELD}') == 1 and 'ok' or 'unsigned'
`,
});

/**
 * Prepares to forget that a task has seen a right signature, so that with `signature = "auto"` its
 * unsigned deliveries are taken again until the next right one.
 *
 * @returns a function of the task's uuid; `unsigned`: there was nothing to forget
 */
export function createResetSignature({ redis }: { redis: Redis }) {
  const reset = RESET_SIGNATURE.on(redis);
  return (uuid: string): Promise<'ok' | 'unsigned' | 'unknown'> => reset(hookKeys(uuid), {});
}
