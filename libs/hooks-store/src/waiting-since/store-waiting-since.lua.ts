import { defineScript, replies } from '@cds/redis';
import { KEY_TYPES } from '../key-types.lua';
import { WAITING_SINCE } from '../waiting-since.lua';

/**
 * Backfills the waiting-since time of some hooks: older versions did not store it, and one may run
 * beside this one.
 *
 * Returns the uuids with a key of another type
 */
export const STORE_WAITING_SINCE = defineScript({
  name: 'cdsbbStoreWaitingSince',
  keys: ['waitingSince', 'stoppedWaitingSince'],
  args: ['taskPrefix', 'waitingPrefix', 'statePrefix'],
  each: ['uuid'],
  reply: replies.listOf(replies.text),
  lua: (K, A, EACH) => `
${WAITING_SINCE}
${KEY_TYPES}
local wrong = {}
for i = ${EACH.range} do
  local uuid = ${EACH.uuid}
  local waiting = ${A.waitingPrefix} .. uuid
  local isRight = isOf(${A.taskPrefix} .. uuid, 'hash') and isOf(waiting, 'list') and isOf(${A.statePrefix} .. uuid, 'hash')
  local stopped = isRight and redis.call('HGET', ${A.taskPrefix} .. uuid, 'stopped')
  if not isRight then
    wrong[#wrong + 1] = uuid
  elseif stopped and redis.call('EXISTS', waiting) == 1 then
    local right, wrong = ${K.waitingSince}, ${K.stoppedWaitingSince}
    if stopped == '1' then right, wrong = wrong, right end
    redis.call('ZREM', wrong, uuid)
    redis.call('ZADD', right, 'NX', 0, uuid)
    pendingRemoved(uuid, waiting, ${A.statePrefix} .. uuid, ${K.waitingSince}, ${K.stoppedWaitingSince})
  else
    redis.call('ZREM', ${K.waitingSince}, uuid)
    redis.call('ZREM', ${K.stoppedWaitingSince}, uuid)
  end
end
return wrong
`,
});
