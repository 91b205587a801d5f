import { defineScript, replies } from '@cds/redis';
/**
 * Moves the execution at the head of a hook's list to its end. It has waited longest all the same,
 * so since when the hook has something waiting is not touched.
 *
 * Returns `ok` | `only` when nothing else waits | `lost` when another one holds the hook, or the
 * head is another one
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
