import { defineScript, replies } from '@cds/redis';
import { dueReply, NOW } from '../due.lua';
import { KEY_TYPES } from '../key-types.lua';
import { SCHEDULE_FIELD } from '../redis-keys';
import { pendingFunctions, QUEUE_KEYS } from '../pending.lua';
import { HISTORY_KEYS, trimHistory } from '../trim-history.lua';

/** Reads the first schedulers. */
export const READ_DUE = defineScript({
  name: 'cdsbbReadDue',
  keys: ['due'],
  args: ['count'],
  reply: dueReply,
  lua: (K, A) => `
${NOW}
local reply = redis.call('ZRANGE', ${K.due}, 0, tonumber(${A.count}) - 1, 'WITHSCORES')
table.insert(reply, 1, ms(now()))
return reply
`,
});

/**
 * Makes a scheduler due, unless it is due by the same schedule. A task that is stopped, gone or no
 * scheduler is not due.
 *
 * Returns `none` | `other` when the configuration is another | `kept` | `due`
 */
export const MAKE_DUE = defineScript({
  name: 'cdsbbMakeDue',
  keys: ['due', 'task'],
  args: ['uuid', 'config', 'schedule', 'next'],
  reply: replies.oneOf('none', 'other', 'kept', 'due'),
  lua: (K, A) => `
local task = redis.call('HMGET', ${K.task}, 'type', 'stopped', 'config', '${SCHEDULE_FIELD}')
if task[1] ~= 'Scheduler' or task[2] == '1' then
  redis.call('ZREM', ${K.due}, ${A.uuid})
  return 'none'
end
if task[3] ~= ${A.config} then return 'other' end
local isSame = ${A.schedule} ~= '' and task[4] == ${A.schedule}
if isSame and redis.call('ZSCORE', ${K.due}, ${A.uuid}) then return 'kept' end
redis.call('HSET', ${K.task}, '${SCHEDULE_FIELD}', ${A.schedule})
if ${A.next} == '' then redis.call('ZREM', ${K.due}, ${A.uuid})
else redis.call('ZADD', ${K.due}, ${A.next}, ${A.uuid}) end
return 'due'
`,
});

/**
 * Takes the due time of a scheduler: enqueues its execution, and makes the scheduler due at the
 * next time. A second replica finds another time, so each time is taken once.
 *
 * Enqueues nothing while the oldest pending execution waits in an API outage or a maintenance of
 * CDS: that one runs late for all.
 *
 * Returns `other` when it is due at another time or as another task, `early`, `skipped`, `taken`
 */
export const TAKE_DUE = defineScript({
  name: 'cdsbbTakeDue',
  keys: [...QUEUE_KEYS, ...HISTORY_KEYS, 'due', 'task', 'hookQueueMeta'],
  args: [
    'uuid',
    'due',
    'config',
    // The next time (ms), or "".
    'next',
    // The time (ms), and as the execution shows it (JSON).
    'time',
    'scheduledTask',
    'maxWaiting',
    // JSON, where an operator ended it beforehand; else "".
    'endedState',
    'history',
    'requestId',
  ],
  reply: replies.oneOf('other', 'early', 'skipped', 'taken'),
  lua: (K, A) => `
${NOW}
${KEY_TYPES}
${trimHistory(K)}
${pendingFunctions(K)}
local due = redis.call('ZSCORE', ${K.due}, ${A.uuid})
if not due or tonumber(due) ~= tonumber(${A.due}) then return 'other' end
local task = redis.call('HMGET', ${K.task}, 'type', 'stopped', 'config', 'last_id')
if task[1] ~= 'Scheduler' or task[2] == '1' then
  redis.call('ZREM', ${K.due}, ${A.uuid})
  return 'other'
end
if task[3] ~= ${A.config} then return 'other' end
local time = now()
if ${A.endedState} == '' and time < tonumber(${A.due}) then return 'early' end

local wrong = wrongTypeOf({
  ${K.executions}, 'hash', ${K.waiting}, 'list', ${K.pending}, 'set', ${K.states}, 'hash',
  ${K.done}, 'zset', ${K.failed}, 'zset', ${K.waitingSince}, 'zset',
})
if wrong then return wrong end
local isSkipped = false
if ${A.endedState} == '' then
  local head = redis.call('LINDEX', ${K.waiting}, 0)
  local readable, state = pcall(cjson.decode, head and redis.call('HGET', ${K.states}, head) or '')
  isSkipped = redis.call('LLEN', ${K.waiting}) >= tonumber(${A.maxWaiting})
    or (head and redis.call('HEXISTS', ${K.hookQueueMeta}, 'paused') == 1)
    or (readable and type(state) == 'table' and (tonumber(state.outages) or 0) > 0)
  -- The first write, since it fails where the counter is no number: the time has to stay due then.
  if not isSkipped then redis.call('INCR', ${K.waitingTotal}) end
end
if ${A.next} == '' then redis.call('ZREM', ${K.due}, ${A.uuid})
else redis.call('ZADD', ${K.due}, ${A.next}, ${A.uuid}) end
if isSkipped then return 'skipped' end
local id = nextId(tonumber(${A.time}) * 1000, task[4])
redis.call('HSET', ${K.task}, 'last_id', id)
redis.call('HSET', ${K.executions}, id,
  '{"timestamp":' .. id .. '000,"type":"Scheduler","config":' .. task[3] ..
  ',"scheduled_task":' .. ${A.scheduledTask} .. ',"accepted_at":' .. ms(time) ..
  ',"request_id":"' .. ${A.requestId} .. '"}')
if ${A.endedState} == '' then
  append(${A.uuid}, ${K.waiting}, id, ms(time), false)
else
  redis.call('HSET', ${K.states}, id, ${A.endedState})
  redis.call('ZADD', ${K.done}, id, id)
  trimHistory(${A.uuid}, ${K.done}, ${A.history})
end
return 'taken'
`,
});
