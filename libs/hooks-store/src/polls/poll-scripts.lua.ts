import { POLL_ERROR_FIELD, POLLED_FIELD } from '../redis-keys';

/** Lua: the clock that all replicas share (ms), and which hooks are polled. */
const COMMON = `
local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
local function isPolled(type, stopped, reconcile)
  if stopped == '1' then return false end
  return type == 'RepoPoller' or (type == 'RepoWebHook' and reconcile == '1')
end
`;

/**
 * Reads who is to be polled first. What is further ahead than anybody may sleep stands first, as if it were due: the clock of
 * Redis was put back.
 *
 * KEYS polls · ARGV how many, the longest that a poll may be ahead (ms) · Returns {now (ms), uuid, when (ms), uuid, …}
 */
export const READ_POLLS = `
${COMMON}
local time = now()
local reply = {string.format('%.0f', time)}
local far = redis.call('ZRANGEBYSCORE', KEYS[1], string.format('(%.0f', time + tonumber(ARGV[2])), '+inf',
  'WITHSCORES', 'LIMIT', 0, ARGV[1])
for i = 1, #far do table.insert(reply, far[i]) end
local first = redis.call('ZRANGE', KEYS[1], 0, tonumber(ARGV[1]) - 1, 'WITHSCORES')
for i = 1, #first do table.insert(reply, first[i]) end
return reply
`;

/**
 * Brings in line whether a hook is polled with its task as it is now. A poller that was not is polled at once,
 * and so is one whose last poll brought nothing, since its task may have been put right; a repository webhook some time.
 *
 * KEYS polls, polls that fail, task
 * ARGV uuid, 1 when repository webhooks are polled, 1 to poll it at once in any case, pause before the first poll of a
 *   repository webhook (ms)
 */
export const ALIGN_POLL = `
${COMMON}
local task = redis.call('HMGET', KEYS[3], 'type', 'stopped')
if not isPolled(task[1], task[2], ARGV[2]) then
  redis.call('ZREM', KEYS[1], ARGV[1])
  redis.call('ZREM', KEYS[2], ARGV[1])
  return
end
local time = string.format('%.0f', now())
redis.call('HSETNX', KEYS[3], '${POLLED_FIELD}', time)
if ARGV[3] == '1' or (task[1] == 'RepoPoller' and redis.call('ZSCORE', KEYS[2], ARGV[1])) then
  redis.call('ZADD', KEYS[1], time, ARGV[1])
else
  local first = task[1] == 'RepoPoller' and time or string.format('%.0f', now() + tonumber(ARGV[4]))
  redis.call('ZADD', KEYS[1], 'NX', first, ARGV[1])
end
`;

/**
 * Takes the poll of a hook for a while: whoever comes second finds it at another time. When the taker dies, it is due again
 * after that.
 *
 * KEYS polls, polls that fail, task
 * ARGV uuid, when it is due as the caller knows it (ms), how long it may take (ms), 1 when repository webhooks are polled
 * Returns {`other`} | {`taken`, now (ms), until when (ms), type, method, config, when the last poll began (ms) or "", id of
 *   the newest execution or ""}
 */
export const TAKE_POLL = `
${COMMON}
local due = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not due or tonumber(due) ~= tonumber(ARGV[2]) then return {'other'} end
local task = redis.call('HMGET', KEYS[3], 'type', 'stopped', 'method', 'config', '${POLLED_FIELD}', 'last_id')
if not isPolled(task[1], task[2], ARGV[4]) then
  redis.call('ZREM', KEYS[1], ARGV[1])
  redis.call('ZREM', KEYS[2], ARGV[1])
  return {'other'}
end
local time = now()
local until_ = string.format('%.0f', time + tonumber(ARGV[3]))
redis.call('ZADD', KEYS[1], until_, ARGV[1])
return {'taken', string.format('%.0f', time), until_, task[1], task[3] or '', task[4], task[5] or '',
  task[6] or ''}
`;

/**
 * Ends a poll: says when the next one is and what came of this one. Of a hook that is gone, or not polled any more, nothing is
 * kept; one that somebody else took meanwhile keeps its time.
 *
 * KEYS polls, polls that fail, task
 * ARGV uuid, until when it was taken (ms), pause to the next poll (ms), when this one began (ms), or "" when it brought
 *   nothing, why it brought nothing or ""
 * Returns `gone` | `ok` | `failed` for the first poll in a row that brought nothing | `better` for the first after such
 */
export const END_POLL = `
${COMMON}
local due = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not due or redis.call('EXISTS', KEYS[3]) == 0 then return 'gone' end
local time = now()
if tonumber(due) == tonumber(ARGV[2]) then
  redis.call('ZADD', KEYS[1], string.format('%.0f', time + tonumber(ARGV[3])), ARGV[1])
end
redis.call('HSET', KEYS[3], '${POLL_ERROR_FIELD}', ARGV[5])
if ARGV[4] == '' then
  local added = redis.call('ZADD', KEYS[2], 'NX', string.format('%.0f', time), ARGV[1])
  return added == 1 and 'failed' or 'ok'
end
redis.call('HSET', KEYS[3], '${POLLED_FIELD}', ARGV[4])
return redis.call('ZREM', KEYS[2], ARGV[1]) == 1 and 'better' or 'ok'
`;

/**
 * Leaves out a poll that is to come.
 *
 * KEYS polls · ARGV uuid, when it is due as the caller knows it (ms), pause (ms) · Returns 1 when it was the next one
 */
export const LEAVE_OUT_POLL = `
local due = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not due or tonumber(due) ~= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], string.format('%.0f', tonumber(due) + tonumber(ARGV[3])), ARGV[1])
return 1
`;
