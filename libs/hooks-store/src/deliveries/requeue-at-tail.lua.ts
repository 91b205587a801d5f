import { defineScript, replies } from '@cds/redis';

/**
 * Moves the oldest pending execution of a hook behind the others. It has still waited longest, so
 * the waiting-since time stays.
 *
 * Returns `ok` | `only` when nothing else waits | `lost` when the lock is another's, or another
 * execution is the oldest
 */
export const REQUEUE_AT_TAIL = defineScript({
  name: 'cdsbbRequeueAtTail',
  keys: ['waiting', 'owner'],
  args: ['lockToken', 'id'],
  reply: replies.oneOf('ok', 'only', 'lost'),
  lua: (K, A) => `
if redis.call('GET', ${K.owner}) ~= ${A.lockToken} then return 'lost' end
if redis.call('LINDEX', ${K.waiting}, 0) ~= ${A.id} then return 'lost' end
if redis.call('LLEN', ${K.waiting}) == 1 then return 'only' end
redis.call('RPUSH', ${K.waiting}, redis.call('LPOP', ${K.waiting}))
return 'ok'
`,
});
