import { DEAD_LETTERS } from '../dead-letters.lua';
import { WORKFLOW_INDEX_FIELD } from '../redis-keys';
import { WAITING_HEADS } from '../waiting-heads.lua';

/**
 * Lua function: counts a task of type `new`, whose hash said `old` (false: it was not there).
 * `isNew`: the set of tasks did not have it. One whose hash vanished is in the set, and counted.
 */
export const COUNT_KIND = `
local function countKind(kinds, old, new, isNew)
  if old == new or (not old and not isNew) then return end
  if old then redis.call('HINCRBY', kinds, old, -1) end
  redis.call('HINCRBY', kinds, new, 1)
end
`;

/**
 * Lua function: sees to it that what waits at a task is worked off, or is known to wait where the
 * task is stopped. Needs WAITING_HEADS. Without it, the deliveries of a task that vanished and came
 * back would wait for the next one.
 * Returns how many wait.
 */
export const QUEUE_WAITING = `
local function queueWaiting(uuid, isStopped, keys)
  local length = redis.call('LLEN', keys.waiting)
  if length == 0 then return 0 end
  redis.call('SADD', isStopped and keys.stopped or keys.pending, uuid)
  local right, wrong = keys.heads, keys.stoppedHeads
  if isStopped then right, wrong = wrong, right end
  redis.call('ZREM', wrong, uuid)
  redis.call('ZADD', right, 'NX', 0, uuid)
  headMoved(uuid, keys.waiting, keys.states, keys.heads, keys.stoppedHeads)
  return length
end
`;

/**
 * Keeps a task, new or changed. What waits for it, its history, what was seen of it (also whether signed) and whether
 * it is stopped stay, also when its hash vanished meanwhile.
 *
 * KEYS task, tasks, kinds, waiting, states, pending, stopped, heads, stopped heads · ARGV uuid,
 * type, method, config (JSON), now (ms), "" or: leave it when it was changed
 *   later than this (ms), key of the hooks of its workflow or "" · Returns `ok` | `newer`
 */
export const PUT_TASK = `
${WAITING_HEADS}
${COUNT_KIND}
${QUEUE_WAITING}
local old = redis.call('HMGET', KEYS[1], 'type', 'updated_at', '${WORKFLOW_INDEX_FIELD}')
if ARGV[6] ~= '' and (tonumber(old[2] or '') or 0) > tonumber(ARGV[6]) then return 'newer' end
redis.call('HSET', KEYS[1], 'type', ARGV[2], 'method', ARGV[3], 'config', ARGV[4], 'updated_at', ARGV[5])
redis.call('HSETNX', KEYS[1], 'stopped', redis.call('SISMEMBER', KEYS[7], ARGV[1]))
countKind(KEYS[3], old[1], ARGV[2], redis.call('SADD', KEYS[2], ARGV[1]) == 1)
if old[3] and old[3] ~= '' and old[3] ~= ARGV[7] then redis.call('SREM', old[3], ARGV[1]) end
redis.call('HSET', KEYS[1], '${WORKFLOW_INDEX_FIELD}', ARGV[7])
if ARGV[7] ~= '' then redis.call('SADD', ARGV[7], ARGV[1]) end
queueWaiting(ARGV[1], redis.call('HGET', KEYS[1], 'stopped') == '1', {
  waiting = KEYS[4], states = KEYS[5], pending = KEYS[6], stopped = KEYS[7], heads = KEYS[8], stoppedHeads = KEYS[9],
})
return 'ok'
`;

/**
 * Removes a task with all that waits for it. The cleanups that it scheduled stay: the branches are gone all the same.
 * So does who holds the hook, who gives it back: a removal of runs may be under way.
 *
 * KEYS task, tasks, kinds, stopped, pending, waiting-total, failed, executions, states, waiting, done, seen, dead, heads,
 *   stopped heads, polls, polls that fail, changes, refs, lost-total
 * ARGV uuid, "" or: only when nothing waits and it was not changed since (ms), id of the last delivery that waits as
 *   far as the caller looked, or ""
 * Returns `ok` | `unknown` | `kept` | `more` when deliveries came in meanwhile
 *
 * Only what waits at a repository webhook has to be looked at first: it may bring a branch back.
 * What waits of a scheduler was promised to nobody, and one that runs often would never be without.
 * What waits at a task whose hash vanished cannot be worked off: where nobody asked for the
 * removal, it counts as lost.
 *
 * A Redis that is out of memory takes whatever follows a first write that frees memory.
 */
export const DELETE_TASK = `
${DEAD_LETTERS}
local task = redis.call('HMGET', KEYS[1], 'type', 'updated_at', '${WORKFLOW_INDEX_FIELD}')
if not task[1] and redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 0 then return 'unknown' end
local waiting = redis.call('LLEN', KEYS[10])
local promised = (not task[1] or task[1] == 'Scheduler') and 0 or waiting
if ARGV[2] ~= '' and (promised > 0 or (tonumber(task[2] or '') or 0) > tonumber(ARGV[2])) then return 'kept' end
if task[1] == 'RepoWebHook' and waiting > 0 and redis.call('LINDEX', KEYS[10], -1) ~= ARGV[3] then return 'more' end
redis.call('SREM', KEYS[2], ARGV[1])
redis.call('SREM', KEYS[4], ARGV[1])
redis.call('SREM', KEYS[5], ARGV[1])
redis.call('ZREM', KEYS[14], ARGV[1])
redis.call('ZREM', KEYS[15], ARGV[1])
redis.call('ZREM', KEYS[16], ARGV[1])
redis.call('ZREM', KEYS[17], ARGV[1])
if task[3] and task[3] ~= '' then redis.call('SREM', task[3], ARGV[1]) end
if waiting > 0 then redis.call('DECRBY', KEYS[6], waiting) end
if waiting > 0 and not task[1] and ARGV[2] ~= '' then redis.call('INCRBY', KEYS[20], waiting) end
forgetFailed(ARGV[1], KEYS[11], KEYS[7])
forgetFailed(ARGV[1], KEYS[13], KEYS[7])
if task[1] then redis.call('HINCRBY', KEYS[3], task[1], -1) end
redis.call('UNLINK', KEYS[1], KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12], KEYS[13], KEYS[18], KEYS[19])
return 'ok'
`;

/**
 * Counts the tasks of each type anew where the counts do not add up: a task vanished whose type
 * nobody knows.
 *
 * KEYS tasks, kinds · ARGV prefix of tasks
 */
export const COUNT_KINDS = `
local counted = 0
for _, count in ipairs(redis.call('HVALS', KEYS[2])) do counted = counted + tonumber(count) end
if counted == redis.call('SCARD', KEYS[1]) then return end
redis.call('DEL', KEYS[2])
for _, uuid in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local kind = redis.pcall('HGET', ARGV[1] .. uuid, 'type')
  if type(kind) == 'string' then redis.call('HINCRBY', KEYS[2], kind, 1) end
end
`;

/**
 * Looks whether tasks are still there, and queues again what waits at them, whatever was lost that
 * said so.
 *
 * KEYS pending, stopped, heads, stopped heads · ARGV prefix of tasks, of waiting lists, of states,
 * uuid…
 * Returns {deliveries that wait at them, tasks of which a key holds another type of value, uuid of
 * a task that is not there…}
 */
export const LOOK_FOR_TASKS = `
${WAITING_HEADS}
${QUEUE_WAITING}
local found = {0, 0}
for i = 4, #ARGV do
  local uuid = ARGV[i]
  local waiting, states = ARGV[2] .. uuid, ARGV[3] .. uuid
  local task = redis.pcall('HMGET', ARGV[1] .. uuid, 'type', 'stopped')
  local length = redis.pcall('LLEN', waiting)
  local head = redis.pcall('HEXISTS', states, '')
  -- What holds another type of value is for whoever works on the hook.
  if task.err or type(length) ~= 'number' or type(head) ~= 'number' then
    found[2] = found[2] + 1
  else
    found[1] = found[1] + length
    if not task[1] then
      found[#found + 1] = uuid
    elseif length > 0 and task[2] ~= '1' and redis.call('SISMEMBER', KEYS[1], uuid) == 0 then
      queueWaiting(uuid, false, {
        waiting = waiting, states = states, pending = KEYS[1], stopped = KEYS[2], heads = KEYS[3], stoppedHeads = KEYS[4],
      })
    end
  end
end
return found
`;

/**
 * Reads tasks with their counts. The service would spend more time on so many commands than on all else of a listing.
 *
 * KEYS due, polls · ARGV the prefixes of the keys task, done, waiting and dead, then uuids
 * Returns for each uuid {type, config (JSON), stopped, executions that are done, that wait, dead letters, times that are
 *   set}, or WRONGTYPE when a key holds another type of value; without a type there is no such task
 */
export const READ_TASKS = `
local read = {}
for i = 5, #ARGV do
  local uuid = ARGV[i]
  local task = redis.pcall('HMGET', ARGV[1] .. uuid, 'type', 'config', 'stopped')
  local done, waiting, dead = redis.pcall('ZCARD', ARGV[2] .. uuid), redis.pcall('LLEN', ARGV[3] .. uuid),
    redis.pcall('ZCARD', ARGV[4] .. uuid)
  local isRight = not task.err and type(done) == 'number' and type(waiting) == 'number' and type(dead) == 'number'
  read[i - 4] = not isRight and 'WRONGTYPE' or {
    task[1], task[2], task[3], done, waiting, dead,
    (redis.call('ZSCORE', KEYS[1], uuid) and 1 or 0) + (redis.call('ZSCORE', KEYS[2], uuid) and 1 or 0)
  }
end
return read
`;

/**
 * Stops or starts a task.
 *
 * KEYS task, stopped, pending, waiting, heads, stopped heads · ARGV uuid, 1 to stop or 0 to start
 * Returns {`unknown`} | {`ok`, deliveries waiting}
 */
export const SET_STOPPED = `
if redis.call('EXISTS', KEYS[1]) == 0 then return {'unknown'} end
local waiting = redis.call('LLEN', KEYS[4])
redis.call('HSET', KEYS[1], 'stopped', ARGV[2])
if ARGV[2] == '1' then
  redis.call('SADD', KEYS[2], ARGV[1])
  redis.call('SREM', KEYS[3], ARGV[1])
else
  redis.call('SREM', KEYS[2], ARGV[1])
  if waiting > 0 then redis.call('SADD', KEYS[3], ARGV[1]) end
end
local from, to = KEYS[5], KEYS[6]
if ARGV[2] ~= '1' then from, to = to, from end
local since = redis.call('ZSCORE', from, ARGV[1])
if since then
  redis.call('ZREM', from, ARGV[1])
  redis.call('ZADD', to, since, ARGV[1])
end
return {'ok', waiting}
`;
