import { KEY_TYPES } from '../key-types.lua';
import { SIGNED_FIELD, SYNCHRONIZED_FIELD } from '../redis-keys';
import { TRIM_HISTORY } from '../trim-history.lua';
import { WAITING_HEADS } from '../waiting-heads.lua';
import { REMEMBERED_US } from '../changes/deduplication-window';
import { JUDGE_CHANGE, NOTE_FOUND } from '../changes/last-changes.lua';

/** The newest so many are known however old: a clock that was days ahead for a moment must not make all forgotten. */
const ALWAYS_REMEMBERED = 1_000;
/** Looked for only so often, since there is rarely any. */
const FORGET_EVERY = 50;
/** A delivery a second for 48 h. Bounds what is kept where a clock that was far ahead keeps ids from growing. */
const MOST_REMEMBERED = 200_000;
/** Removed in one go at most, so that no script holds Redis up. */
const FORGOTTEN_AT_ONCE = 500;

/**
 * Takes a delivery in: everything or nothing, in one round trip. What is seen is queued, and the other way round.
 * Redis undoes nothing of a script that fails. So every key is read or looked at before the first
 * write, and what makes a later delivery a duplicate is written last.
 *
 * KEYS task, executions, waiting, pending, waiting-total, done, states, failed, seen, heads,
 * stopped heads, changes, refs,
 *   mark, tasks
 * ARGV
 *    1 method of the request
 *    2 type of hook that the delivery was judged for
 *    3 verdict: `accept`, `ignore`, `refuse`
 *    4 now in µs
 *    5 uuid
 *    6 the execution as it is kept, without its opening brace and what is filled in here
 *    7 the body of its request, or ""; it is copied nowhere, since handing 6 KB about is most of what this takes
 *    8 the state of an ignored one (JSON)
 *    9 history to keep
 *   10 signature: `right`, `none`
 *   11 whether it is needed: `auto`, `required`, `off`
 *   12 X-Request-UUID or ""
 *   13 the state of a duplicate (JSON), `{first}` standing for the first one's timestamp, `{same}`
 *   for what both have 14 the change that a poll found, or ""; one that is known already is a
 *   duplicate that leaves no trace 15 id of the newest execution when that poll began, or ""
 *   16 the changes of branches and tags, four each: index in the push, ref, hash before, hash
 *   after; see JUDGE_CHANGE. Of what a
 *      poll found, the hash before is `?`
 * Returns {`unknown`, when the hooks of the API were read last (ms) or "", 1 when there is a task
 * of which this is missing} |
 *   {`method`} | {`unsigned`} when it has to be signed |
 *   {`duplicate`, type, id of the first, 1 when its body was another, 1 when another delivery told
 *   of all its changes} | {`judge`, type} when it was judged for another type | {`refused`} |
 *   {`accepted`, type, id, deliveries waiting}
 *
 * Ids are µs, unique and growing for each task, whatever the clocks of the replicas say; how long ago a delivery was
 * seen is told by them, too, and the newest ones are known in any case, so no clock that jumps and no time-to-live makes
 * a delivery count twice or not at all.
 * The configuration goes into the execution as text, since Lua's JSON cannot tell an empty list from an empty object.
 */
export const ACCEPT_DELIVERY = `
${TRIM_HISTORY}
${WAITING_HEADS}
${JUDGE_CHANGE}
${NOTE_FOUND}
${KEY_TYPES}
local function bodyOf(id)
  local kept = redis.call('HMGET', KEYS[2], id, id .. ':body')
  if not kept[1] then return nil end
  return kept[2] or string.match(kept[1], '\\n(.*)$') or string.match(kept[1], '"request_body":"([^"]*)"')
end

local task = redis.call('HMGET', KEYS[1], 'type', 'method', 'config', 'stopped', 'last_id', '${SIGNED_FIELD}')
if not task[1] then
  return {'unknown', redis.call('HGET', KEYS[14], '${SYNCHRONIZED_FIELD}') or '', redis.call('SISMEMBER', KEYS[15], ARGV[5])}
end
if task[2] ~= ARGV[1] then return {'method'} end
if ARGV[10] == 'right' then
  if task[6] ~= '1' then redis.call('HSET', KEYS[1], '${SIGNED_FIELD}', '1') end
elseif ARGV[11] == 'required' or (ARGV[11] == 'auto' and task[6] == '1') then
  return {'unsigned'}
end

local lastId = tonumber(task[5] or '') or 0
-- Greater than any number that Lua can add one to, or none at all ("nan").
if not (lastId < ${Number.MAX_SAFE_INTEGER}) then lastId = 0 end
local id = math.max(tonumber(ARGV[4]), lastId + 1)
local oldest = id - ${REMEMBERED_US}
id = string.format('%.0f', id)
local first = ARGV[12] ~= '' and redis.call('ZSCORE', KEYS[9], ARGV[12])
if not first then
  if task[1] ~= ARGV[2] then return {'judge', task[1]} end
  if ARGV[3] == 'refuse' then return {'refused'} end
end
if ARGV[14] ~= '' then
  local known = string.match(redis.call('HGET', KEYS[12], ARGV[14]) or '', '(%d+)$')
  if known and tonumber(known) >= oldest then return {'duplicate', task[1], known, 0} end
end

local judged = {double = {}, late = {}, new = {}}
local twin = nil
if not first and ARGV[3] == 'accept' then
  for i = 16, #ARGV, 4 do
    if ARGV[i + 2] == '?' and ARGV[14] ~= '' then
      noteFound(KEYS[13], ARGV[i + 1], ARGV[i + 3], ARGV[15], id)
    else
      local kind, known = judgeChange(KEYS[13], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], id)
      table.insert(judged[kind], ARGV[i])
      if kind == 'double' then twin = known end
    end
  end
  if #judged.late + #judged.new > 0 then twin = nil end
end
if twin then first = tonumber(twin) end

local isToWait = not first and ARGV[3] ~= 'ignore'
local isStopped = task[4] == '1'
local heads = KEYS[isStopped and 11 or 10]
local wrong = wrongTypeOf(isToWait and {KEYS[2], 'hash', KEYS[3], 'list', KEYS[4], 'set', heads, 'zset'}
  or {KEYS[2], 'hash', KEYS[6], 'zset', KEYS[7], 'hash', KEYS[8], 'zset'})
if wrong then return wrong end
-- The first write, since it fails where the counter is no number.
if isToWait then redis.call('INCR', KEYS[5]) end
redis.call('HSET', KEYS[1], 'last_id', id)
local length = 0
local config = task[3] or 'null'
-- Text that is cut off would make the execution unreadable, too.
if string.sub(config, 1, 1) ~= '{' or string.sub(config, -1) ~= '}' then config = 'null' end
local execution = '{"timestamp":' .. id .. '000,"type":"' .. task[1] .. '","config":' .. config
for _, kind in ipairs({'double', 'late'}) do
  if #judged[kind] > 0 then
    execution = execution .. ',"' .. kind .. '_changes":[' .. table.concat(judged[kind], ',') .. ']'
  end
end
execution = execution .. ',' .. ARGV[6]
if ARGV[7] ~= '' then
  redis.call('HSET', KEYS[2], id, execution, id .. ':body', ARGV[7])
else
  redis.call('HSET', KEYS[2], id, execution)
end
if not isToWait then
  local state = ARGV[8]
  if first then
    state = string.gsub(ARGV[13], '{first}', string.format('%.0f000', first))
    state = string.gsub(state, '{same}', twin and 'change' or 'X-Request-UUID')
  end
  redis.call('HSET', KEYS[7], id, state)
  redis.call('ZADD', KEYS[6], id, id)
else
  length = redis.call('RPUSH', KEYS[3], id)
  if not isStopped then redis.call('SADD', KEYS[4], ARGV[5]) end
  headAdded(ARGV[5], length, msOf(id), heads)
end
if ARGV[14] ~= '' then noteChange(KEYS[12], ARGV[14], 'found:' .. id) end
writeNotes(KEYS[13])
if twin and ARGV[12] ~= '' then redis.call('ZADD', KEYS[9], id, ARGV[12]) end
if first then
  local before = bodyOf(string.format('%.0f', first))
  local another = not twin and before and before ~= bodyOf(id)
  trimHistory(ARGV[5], KEYS[6], KEYS[2], KEYS[7], KEYS[8], tonumber(ARGV[9]))
  return {'duplicate', task[1], string.format('%.0f', first), another and 1 or 0, twin and 1 or 0}
end

if ARGV[3] == 'ignore' then trimHistory(ARGV[5], KEYS[6], KEYS[2], KEYS[7], KEYS[8], tonumber(ARGV[9])) end
if ARGV[12] ~= '' then
  redis.call('ZADD', KEYS[9], id, ARGV[12])
  local known = redis.call('ZCARD', KEYS[9])
  local spare = math.min(known - ${ALWAYS_REMEMBERED}, ${FORGOTTEN_AT_ONCE})
  if spare > 0 and known % ${FORGET_EVERY} == 0 then
    local forgotten = redis.call('ZRANGEBYSCORE', KEYS[9], '-inf', string.format('%.0f', oldest), 'LIMIT', 0, spare)
    if #forgotten > 0 then known = known - redis.call('ZREM', KEYS[9], unpack(forgotten)) end
  end
  local excess = known - ${MOST_REMEMBERED}
  if excess > 0 then redis.call('ZPOPMIN', KEYS[9], math.min(excess, ${FORGOTTEN_AT_ONCE})) end
end
return {'accepted', task[1], id, length}
`;
