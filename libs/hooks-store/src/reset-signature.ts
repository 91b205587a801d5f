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
 * Prepares to remove the signature mark of a task: with `signature = "auto"` its unsigned
 * deliveries are accepted again until the next right signature.
 * @returns a function of the task's uuid; `unsigned`: there was no mark
 */
export function createResetSignature({ redis }: { redis: Redis }) {
  const reset = RESET_SIGNATURE.on(redis);
  return (uuid: string): Promise<'ok' | 'unsigned' | 'unknown'> => reset(hookKeys(uuid), {});
}

/** Whether a task has the signature mark; undefined where there is no such task. */
export async function isSigned(redis: Redis, uuid: string): Promise<boolean | undefined> {
  const { task } = hookKeys(uuid);
  if ((await redis.exists(task)) === 0) return undefined;
  return (await redis.hexists(task, SIGNED_FIELD)) === 1;
}
