import { KEY_TYPES } from '../key-types.lua';
import { SCHEDULE_FIELD } from '../redis-keys';
import { TRIM_HISTORY } from '../trim-history.lua';
import { WAITING_HEADS } from '../waiting-heads.lua';

/** Lua: the clock that all replicas share (ms). */
const NOW = `
local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
`;

/**
 * Reads who is due first.
 *
 * KEYS due · ARGV how many · Returns {now (ms), uuid, when (ms), uuid, …}
 */
export const READ_DUE = `
${NOW}
local reply = redis.call('ZRANGE', KEYS[1], 0, tonumber(ARGV[1]) - 1, 'WITHSCORES')
table.insert(reply, 1, string.format('%.0f', now()))
return reply
`;

/**
 * Makes a scheduler due; what is due by the same schedule already stays so. A task that is stopped, gone or no scheduler any
 * more is not due.
 *
 * KEYS due, task · ARGV uuid, its configuration as the caller knows it (JSON), the schedule or "" when it cannot be
 *   read, next time (ms) or ""
 * Returns `none` | `other` when the configuration is another | `kept` | `due`
 */
export const MAKE_DUE = `
local task = redis.call('HMGET', KEYS[2], 'type', 'stopped', 'config', '${SCHEDULE_FIELD}')
if task[1] ~= 'Scheduler' or task[2] == '1' then
  redis.call('ZREM', KEYS[1], ARGV[1])
  return 'none'
end
if task[3] ~= ARGV[2] then return 'other' end
if ARGV[3] ~= '' and task[4] == ARGV[3] and redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 'kept' end
redis.call('HSET', KEYS[2], '${SCHEDULE_FIELD}', ARGV[3])
if ARGV[4] == '' then redis.call('ZREM', KEYS[1], ARGV[1])
else redis.call('ZADD', KEYS[1], ARGV[4], ARGV[1]) end
return 'due'
`;

/**
 * Takes the time that a scheduler is due at: its execution joins the hook's list, and the scheduler is due at the next time.
 * Whoever comes second finds it due at another time, so each time is taken once.
 *
 * Nothing joins the list while the execution at its head waits for an API that does not answer: that one runs late for all.
 *
 * KEYS due, task, executions, waiting, pending, waiting-total, states, done, failed, heads
 * ARGV
 *   1 uuid
 *   2 when it is due as the caller knows it (ms)
 *   3 its configuration as the caller knows it (JSON)
 *   4 the next time (ms) or ""
 *   5 the time to run for (ms)
 *   6 what the execution shows of it (JSON)
 *   7 executions that may wait
 *   8 the state of one that an operator ended beforehand (JSON) or ""
 *   9 history to keep
 *  10 its request id, by which the log tells of it
 * Returns `other` when it is due at another time, or as another task | `early` | `skipped` | `taken`
 */
export const TAKE_DUE = `
${NOW}
${KEY_TYPES}
${TRIM_HISTORY}
${WAITING_HEADS}
local due = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not due or tonumber(due) ~= tonumber(ARGV[2]) then return 'other' end
local task = redis.call('HMGET', KEYS[2], 'type', 'stopped', 'config', 'last_id')
if task[1] ~= 'Scheduler' or task[2] == '1' then
  redis.call('ZREM', KEYS[1], ARGV[1])
  return 'other'
end
if task[3] ~= ARGV[3] then return 'other' end
local time = now()
if ARGV[8] == '' and time < tonumber(ARGV[2]) then return 'early' end

local wrong = wrongTypeOf({
  KEYS[3], 'hash', KEYS[4], 'list', KEYS[5], 'set', KEYS[7], 'hash', KEYS[8], 'zset', KEYS[9], 'zset', KEYS[10], 'zset',
})
if wrong then return wrong end
local isSkipped = false
if ARGV[8] == '' then
  local head = redis.call('LINDEX', KEYS[4], 0)
  local readable, state = pcall(cjson.decode, head and redis.call('HGET', KEYS[7], head) or '')
  isSkipped = redis.call('LLEN', KEYS[4]) >= tonumber(ARGV[7])
    or (readable and type(state) == 'table' and (tonumber(state.outages) or 0) > 0)
  -- The first write, since it fails where the counter is no number: the time has to stay due then.
  if not isSkipped then redis.call('INCR', KEYS[6]) end
end
if ARGV[4] == '' then redis.call('ZREM', KEYS[1], ARGV[1])
else redis.call('ZADD', KEYS[1], ARGV[4], ARGV[1]) end
if isSkipped then return 'skipped' end
local id = string.format('%.0f', math.max(tonumber(ARGV[5]) * 1000, (tonumber(task[4] or '') or 0) + 1))
redis.call('HSET', KEYS[2], 'last_id', id)
redis.call('HSET', KEYS[3], id, '{"timestamp":' .. id .. '000,"type":"Scheduler","config":' .. task[3] ..
  ',"scheduled_task":' .. ARGV[6] .. string.format(',"accepted_at":%.0f', time) ..
  ',"request_id":"' .. ARGV[10] .. '"}')
if ARGV[8] == '' then
  local length = redis.call('RPUSH', KEYS[4], id)
  redis.call('SADD', KEYS[5], ARGV[1])
  headAdded(ARGV[1], length, string.format('%.0f', time), KEYS[10])
else
  redis.call('HSET', KEYS[7], id, ARGV[8])
  redis.call('ZADD', KEYS[8], id, id)
  trimHistory(ARGV[1], KEYS[8], KEYS[3], KEYS[7], KEYS[9], tonumber(ARGV[9]))
end
return 'taken'
`;
