import { FORGET_CLEANUP } from '../forget-cleanup.lua';
import { WAITING_HEADS } from '../waiting-heads.lua';

/**
 * Puts a dead letter at the end of its hook's list, so that what is asked for keeps the order in which it was accepted
 * or asked for. A stopped task stays stopped.
 *
 * KEYS executions, states, done, dead, failed, waiting, waiting-total, pending, task, heads, stopped heads
 * ARGV uuid, id, its state as it was read (JSON or ""), its new state (JSON), now (ms)
 * Returns `ok` | `unknown` | `not-dead` | `changed` (its state is another by now: read it again)
 */
export const RETRY_EXECUTION = `
${WAITING_HEADS}
local member = ARGV[1] .. '/' .. ARGV[2]
if redis.call('HEXISTS', KEYS[1], ARGV[2]) == 0 then
  redis.call('ZREM', KEYS[5], member)
  redis.call('ZREM', KEYS[4], ARGV[2])
  return 'unknown'
end
if not redis.call('ZSCORE', KEYS[5], member) then return 'not-dead' end
if (redis.call('HGET', KEYS[2], ARGV[2]) or '') ~= ARGV[3] then return 'changed' end
redis.call('ZREM', KEYS[5], member)
redis.call('ZREM', KEYS[4], ARGV[2])
redis.call('ZREM', KEYS[3], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[2], ARGV[4])
local length = redis.call('RPUSH', KEYS[6], ARGV[2])
redis.call('INCR', KEYS[7])
local stopped = redis.call('HGET', KEYS[9], 'stopped') == '1'
if not stopped then redis.call('SADD', KEYS[8], ARGV[1]) end
headAdded(ARGV[1], length, ARGV[5], KEYS[stopped and 11 or 10])
return 'ok'
`;

/**
 * Removes a dead letter for good.
 *
 * KEYS executions, states, done, dead, failed · ARGV uuid, id · Returns `ok` | `unknown` | `not-dead`
 */
export const DROP_EXECUTION = `
local known = redis.call('HEXISTS', KEYS[1], ARGV[2]) == 1
if redis.call('ZREM', KEYS[5], ARGV[1] .. '/' .. ARGV[2]) == 0 then
  return known and 'not-dead' or 'unknown'
end
redis.call('ZREM', KEYS[4], ARGV[2])
redis.call('ZREM', KEYS[3], ARGV[2])
redis.call('HDEL', KEYS[1], ARGV[2], ARGV[2] .. ':body')
redis.call('HDEL', KEYS[2], ARGV[2])
return known and 'ok' or 'unknown'
`;

/** Lua function: whether a cleanup failed for good, and not because an operator ended it. */
const JUDGE_CLEANUP = `
local function judge(id, record, accepted)
  local known = redis.call('HGET', record, 'accepted')
  if not known or known ~= accepted then return 'unknown' end
  local score = redis.call('ZSCORE', KEYS[3], id)
  if not score or tonumber(score) < 0 then return 'not-dead' end
  return 'ok'
end
`;

/**
 * Schedules a cleanup that failed for good anew, for when it was due.
 *
 * KEYS cleanups, stopped, failed, record · ARGV id, accepted · Returns `ok` | `unknown` | `not-dead`
 */
export const RETRY_CLEANUP = `
${JUDGE_CLEANUP}
local verdict = judge(ARGV[1], KEYS[4], ARGV[2])
if verdict ~= 'ok' then return verdict end
redis.call('HSET', KEYS[4], 'status', 'waiting', 'nb_errors', '0', 'last_error', '', 'retry_at', '0', 'outages', '0',
  'processed', '0')
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('ZADD', KEYS[1], redis.call('HGET', KEYS[4], 'due'), ARGV[1])
return 'ok'
`;

/**
 * Removes a cleanup that failed for good.
 *
 * KEYS cleanups, stopped, failed, record · ARGV id, accepted, prefix of records, prefix of the hooks' lists
 * Returns `ok` | `unknown` | `not-dead`
 */
export const DROP_CLEANUP = `
${JUDGE_CLEANUP}
${FORGET_CLEANUP}
local verdict = judge(ARGV[1], KEYS[4], ARGV[2])
if verdict == 'ok' then forget(ARGV[1], ARGV[3], ARGV[4]) end
return verdict
`;

/**
 * Moves executions that a version without dead letters gave up out of the history.
 *
 * KEYS failed · ARGV prefix of histories, prefix of dead letters, uuid/id… · Returns how many it moved
 */
export const ADOPT_FAILED = `
local moved = 0
for i = 3, #ARGV do
  local uuid, id = string.match(ARGV[i], '^(.+)/(%d+)$')
  if uuid and redis.call('ZSCORE', KEYS[1], ARGV[i]) and redis.pcall('ZREM', ARGV[1] .. uuid, id) == 1 then
    redis.pcall('ZADD', ARGV[2] .. uuid, id, id)
    moved = moved + 1
  end
end
return moved
`;
