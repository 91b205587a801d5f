import { defineScript, replies } from '@cds/redis';
import { CLEANUP_SETS, forgetCleanup } from './cleanup-functions.lua';

/** Stops a cleanup, or starts a stopped or failed one; a failed one gets all its tries again. */
export const SET_CLEANUP_STOPPED = defineScript({
  name: 'cdsbbStopCleanup',
  keys: [...CLEANUP_SETS, 'record'],
  args: ['id', 'isStop', 'now'],
  reply: replies.variants({ unknown: {}, ok: { due: replies.numeral } }),
  lua: (K, A) => `
local record = redis.call('HMGET', ${K.record}, 'due', 'status')
if not record[1] then return {'unknown'} end
if ${A.isStop} == '1' then
  if record[2] == 'waiting' then
    redis.call('HSET', ${K.record}, 'status', 'stopped')
    redis.call('ZREM', ${K.cleanups}, ${A.id})
    redis.call('ZADD', ${K.stoppedCleanups}, ${A.now}, ${A.id})
  end
elseif record[2] ~= 'waiting' then
  redis.call('HSET', ${K.record}, 'status', 'waiting', 'retry_at', '0', 'nb_errors', '0',
    'outages', '0', 'processed', '0')
  redis.call('ZREM', ${K.stoppedCleanups}, ${A.id})
  redis.call('ZREM', ${K.failedCleanups}, ${A.id})
  redis.call('ZADD', ${K.cleanups}, record[1], ${A.id})
end
return {'ok', record[1]}
`,
});

/**
 * Makes a scheduled cleanup due now, and ends its pause after a refusal. A due one stays as it is.
 */
export const MAKE_CLEANUP_DUE = defineScript({
  name: 'cdsbbMakeCleanupDue',
  keys: ['cleanups', 'record'],
  args: ['id', 'now'],
  reply: replies.variants({ unknown: {}, stopped: {}, failed: {}, ok: { due: replies.numeral } }),
  lua: (K, A) => `
local record = redis.call('HMGET', ${K.record}, 'due', 'status')
if not record[1] then return {'unknown'} end
if record[2] ~= 'waiting' then return {record[2] == 'stopped' and 'stopped' or 'failed'} end
local due = tonumber(record[1])
if not due then return {'failed'} end
if due > tonumber(${A.now}) then due = tonumber(${A.now}) end
due = string.format('%.0f', due)
redis.call('HSET', ${K.record}, 'due', due, 'retry_at', '0')
redis.call('ZADD', ${K.cleanups}, due, ${A.id})
return {'ok', due}
`,
});

export const REMOVE_CLEANUP = defineScript({
  name: 'cdsbbRemoveCleanup',
  keys: CLEANUP_SETS,
  args: ['id', 'recordPrefix', 'hookCleanupsPrefix'],
  reply: replies.oneOf('unknown', 'ok'),
  lua: (K, A) => `
${forgetCleanup(K, A)}
if redis.call('EXISTS', ${A.recordPrefix} .. ${A.id}) == 0 then return 'unknown' end
forget(${A.id})
return 'ok'
`,
});
