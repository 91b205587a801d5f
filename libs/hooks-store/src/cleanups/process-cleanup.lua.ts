import { defineScript, replies } from '@cds/redis';
import { CLEANUP_SETS, forgetCleanup, IS_AS_READ, REMOVAL_MARKS } from './cleanup-functions.lua';

/**
 * The last check before the API is called; marks the cleanup as under way.
 *
 * Returns `ok` | `lost` | `changed` (moved, stopped, cancelled, or tried by another) | `more`
 * (there are new deliveries)
 */
export const BEGIN_CLEANUP = defineScript({
  name: 'cdsbbBeginCleanup',
  keys: ['record', 'owner'],
  args: ['lockToken', 'hook', 'accepted', 'due', 'retryAt', 'outages'],
  each: ['waiting', 'lastSeen'],
  reply: replies.oneOf('ok', 'lost', 'changed', 'more'),
  lua: (K, A, EACH) => `
${IS_AS_READ}
${REMOVAL_MARKS}
local owner = redis.call('GET', ${K.owner})
if owner and owner ~= ${A.lockToken} then return 'lost' end
if not isAsRead(${K.record}, ${A.accepted}, ${A.due}, ${A.retryAt}, ${A.outages}) then
  return 'changed'
end
for i = ${EACH.range} do
  local last = redis.call('LINDEX', ${EACH.waiting}, -1)
  if last and last ~= ${EACH.lastSeen} then return 'more' end
end
if not owner then redis.call('SET', ${K.owner}, ${A.lockToken}) end
markUnderWay(${K.record}, ${A.hook} .. ' ' .. ${A.lockToken})
return 'ok'
`,
});

/** Unmarks begun cleanups for which the API was not called. */
export const CANCEL_BEGUN_CLEANUPS = defineScript({
  name: 'cdsbbLetGoCleanups',
  keys: [],
  args: ['lockToken'],
  each: ['record', 'hook'],
  reply: replies.ignored,
  lua: (_K, A, EACH) => `
for i = ${EACH.range} do
  if redis.call('HGET', ${EACH.record}, 'under_way') == ${EACH.hook} .. ' ' .. ${A.lockToken} then
    redis.call('HDEL', ${EACH.record}, 'under_way')
  end
end
return 'ok'
`,
});

/**
 * Ends a cleanup whose runs are removed. It stays scheduled when a later deletion changed it, or
 * when it is not due because the API was called again for an earlier deletion.
 */
export const FINISH_CLEANUP = defineScript({
  name: 'cdsbbFinishCleanup',
  keys: CLEANUP_SETS,
  args: ['id', 'recordPrefix', 'hookCleanupsPrefix', 'accepted', 'now'],
  reply: replies.oneOf('unknown', 'waiting', 'ok'),
  lua: (K, A) => `
${forgetCleanup(K, A)}
local record = ${A.recordPrefix} .. ${A.id}
local kept = redis.call('HMGET', record, 'accepted', 'due', 'status')
if not kept[1] then return 'unknown' end
local due = tonumber(kept[2]) or 0
if kept[1] ~= ${A.accepted} or due > tonumber(${A.now}) then
  redis.call('HDEL', record, 'under_way', 'unsure')
  redis.call('HSET', record, 'outages', '0', 'retry_at', '0')
  due = string.format('%.0f', due)
  if kept[3] == 'waiting' then redis.call('ZADD', ${K.cleanups}, due, ${A.id}) end
  return 'waiting'
end
forget(${A.id})
return 'ok'
`,
});

/** Stores a failure: for another try, or for good. `dropped`: dead letters removed for it. */
export const FAIL_CLEANUP = defineScript({
  name: 'cdsbbFailCleanup',
  keys: [...CLEANUP_SETS, 'record'],
  args: [
    'id',
    'recordPrefix',
    'hookCleanupsPrefix',
    'accepted',
    'now',
    'nbErrors',
    'error',
    // Tries in a row without an answer.
    'outages',
    // When to try again (ms); "" gives it up.
    'retryAt',
    'refused',
    // To keep.
    'deadLetters',
    // By an operator: it is no dead letter then, and removed first.
    'ended',
    // The removal under way: `answered`, `not sent`, `unsure`; "" without one.
    'removal',
  ],
  reply: replies.variants({ ok: { dropped: replies.number }, changed: {} }),
  lua: (K, A) => `
${forgetCleanup(K, A)}
local record = redis.call('HMGET', ${K.record}, 'accepted', 'status', 'under_way')
if ${A.removal} == 'unsure' and record[3] then redis.call('HSET', ${K.record}, 'unsure', '1') end
if ${A.removal} == 'answered' then redis.call('HDEL', ${K.record}, 'unsure') end
if ${A.removal} ~= '' then redis.call('HDEL', ${K.record}, 'under_way') end
if record[1] ~= ${A.accepted} then return {'changed'} end
redis.call('HSET', ${K.record}, 'nb_errors', ${A.nbErrors}, 'last_error', ${A.error},
  'outages', ${A.outages})
if ${A.retryAt} ~= '' then
  if ${A.refused} == '1' then redis.call('HSET', ${K.record}, 'retry_at', ${A.retryAt}) end
  if record[2] == 'waiting' then redis.call('ZADD', ${K.cleanups}, ${A.retryAt}, ${A.id}) end
  return {'ok', 0}
end
redis.call('HSET', ${K.record}, 'status', 'failed', 'processed', ${A.now})
redis.call('ZREM', ${K.cleanups}, ${A.id})
redis.call('ZREM', ${K.stoppedCleanups}, ${A.id})
redis.call('ZADD', ${K.failedCleanups}, ${A.ended} == '1' and '-' .. ${A.now} or ${A.now}, ${A.id})
local dropped = 0
local excess = math.min(redis.call('ZCARD', ${K.failedCleanups}) - tonumber(${A.deadLetters}), 500)
if excess > 0 then
  local oldest = redis.call('ZRANGE', ${K.failedCleanups}, 0, excess - 1, 'WITHSCORES')
  for i = 1, #oldest, 2 do
    if tonumber(oldest[i + 1]) >= 0 then dropped = dropped + 1 end
    forget(oldest[i])
  end
end
return {'ok', dropped}
`,
});
