import { defineScript, replies } from '@cds/redis';
import { SCHEDULE_ARGS, SCHEDULE_KEYS, scheduleCleanup } from '../cleanups/schedule-cleanup.lua';
import { pendingFunctions, QUEUE_KEYS } from '../pending.lua';

/**
 * Appends a delivery that another hooks accepted to its hook's list, once.
 *
 * Returns `unknown` without such a task, `duplicate` if it came again since, `known`, `late`, `ok`
 *
 * A late one is older than another delivery that the hook had. It becomes a replay: its runs start,
 * and cleanups stay, since its branches may have been pushed or deleted again meanwhile.
 */
export const IMPORT_DELIVERY = defineScript({
  name: 'cdsbbImportDelivery',
  keys: [...QUEUE_KEYS, 'task', 'executions', 'states', 'seen', 'imported'],
  args: ['uuid', 'name', 'acceptedUs', 'execution', 'state', 'requestUuid', 'replayOf', 'isLate'],
  reply: replies.oneOf('known', 'unknown', 'duplicate', 'late', 'ok'),
  lua: (K, A) => `
${pendingFunctions(K)}
if redis.call('HEXISTS', ${K.imported}, ${A.name}) == 1 then return 'known' end
local task = redis.call('HMGET', ${K.task}, 'type', 'stopped', 'last_id')
if not task[1] then return 'unknown' end
if ${A.requestUuid} ~= '' and redis.call('ZSCORE', ${K.seen}, ${A.requestUuid}) then
  redis.call('HSET', ${K.imported}, ${A.name}, 'duplicate')
  return 'duplicate'
end
local isOlder = tonumber(${A.acceptedUs}) < tonumber(task[3] or '0')
local late = task[1] == 'RepoWebHook' and (${A.isLate} == '1' or isOlder)
local id = nextId(${A.acceptedUs}, task[3])
redis.call('HSET', ${K.task}, 'last_id', id)
redis.call('HSET', ${K.executions}, id,
  '{"timestamp":' .. id .. '000,' .. (late and ${A.replayOf} or '') .. ${A.execution})
redis.call('HSET', ${K.states}, id, ${A.state})
redis.call('INCR', ${K.waitingTotal})
append(${A.uuid}, ${K.waiting}, id, msOf(id), task[2] == '1')
if ${A.requestUuid} ~= '' then redis.call('ZADD', ${K.seen}, id, ${A.requestUuid}) end
redis.call('HSET', ${K.imported}, ${A.name}, id)
return late and 'late' or 'ok'
`,
});

/**
 * Schedules a cleanup that another hooks had scheduled, once.
 *
 * Returns `known`, or what SCHEDULE_CLEANUP returns
 */
export const IMPORT_CLEANUP = defineScript({
  name: 'cdsbbImportCleanup',
  keys: [...SCHEDULE_KEYS, 'imported'],
  args: [...SCHEDULE_ARGS, 'name'],
  reply: replies.oneOf('known', 'ok', 'lost', 'back'),
  lua: (K, A) => `
if redis.call('HEXISTS', ${K.imported}, ${A.name}) == 1 then return 'known' end
local function schedule()
${scheduleCleanup(K, A)}
end
local scheduled = schedule()
if scheduled ~= 'lost' then redis.call('HSET', ${K.imported}, ${A.name}, scheduled) end
return scheduled
`,
});
