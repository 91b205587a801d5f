import { defineScript, replies, type ReplyParser } from '@cds/redis';
import type { TaskType } from '@cds/wire';
import { KEY_TYPES } from '../key-types.lua';
import { SIGNED_FIELD, SYNCHRONIZED_FIELD } from '../redis-keys';
import { HISTORY_KEYS, TRIM_HISTORY } from '../trim-history.lua';
import { QUEUE_KEYS, WAITING_SINCE } from '../waiting-since.lua';
import { REMEMBERED_US } from '../changes/deduplication-window';
import { JUDGE_CHANGE, NOTE_FOUND } from '../changes/last-changes.lua';

/** The newest are known at any age: a clock that was days ahead for a moment must not clear all. */
const ALWAYS_REMEMBERED = 1_000;
/** Every so many deliveries the old ones are removed. */
const FORGET_EVERY = 50;
/** A delivery a second for 48 h. A bound where ids do not grow because a clock was far ahead. */
const MAX_REMEMBERED = 200_000;
/** Removals of one script at most, so that it does not hold Redis up. */
const FORGOTTEN_AT_ONCE = 500;

const taskType = replies.text as ReplyParser<TaskType>;

/**
 * Accepts a delivery: everything or nothing, in one round trip. A known one is queued, and a queued
 * one is known. Redis does not roll back a script that fails. So every key is read before the first
 * write, and what makes a later delivery a duplicate is written last.
 *
 * Returns {`unknown`, when the hooks of the API were read last (ms) or "", 1 when the hash of a
 * task is missing} | {`wrong-method`} | {`unsigned`} when a signature is required | {`duplicate`,
 * type, id of the first, 1 when its body was another, 1 when another delivery had all its changes}
 * | {`other-type`, type} when it was validated for another one | {`refused`} | {`accepted`, type,
 * id, pending executions, 1 where it is the only one and the hook queue is paused}
 *
 * Ids are µs, unique and growing for each task, whatever the clocks of the replicas say. The age of
 * a delivery is told by its id, and the newest are always known, so no clock that jumps and no
 * time-to-live makes a delivery count twice or not at all. The configuration is copied as text,
 * since Lua's JSON cannot tell an empty list from an empty object.
 */
export const ACCEPT_DELIVERY = defineScript({
  name: 'cdsbbAcceptDelivery',
  keys: [
    ...QUEUE_KEYS,
    ...HISTORY_KEYS,
    'task',
    'seen',
    'changes',
    'refs',
    'mark',
    'tasks',
    'hookQueueMeta',
  ],
  args: [
    'method',
    // Hook type.
    'validatedFor',
    // `accept`, `ignore` or `refuse`.
    'validation',
    'nowUs',
    'uuid',
    // JSON without its opening brace and what is filled in here.
    'execution',
    // Copied nowhere, since handing 6 KB about is most of what this takes; "" where there is none.
    'body',
    // JSON; of one that is ignored.
    'ignoredState',
    'history',
    // `right` or `none`.
    'signature',
    // Whether it is needed: `auto`, `required` or `off`.
    'signatureMode',
    'requestUuid',
    // JSON; `{first}` stands for the first one's timestamp, `{same}` for what both have.
    'duplicateState',
    // What a poll found, or ""; one that is known already is a duplicate that leaves no trace.
    'change',
    // Id of the newest execution when that poll began, or "".
    'seenAfter',
  ],
  // The changes of branches and tags: index in the push, ref, hashes; see JUDGE_CHANGE. Of what a poll
  // found, the hash before is `?`.
  each: ['index', 'ref', 'before', 'after'],
  reply: replies.variants({
    unknown: { synchronizedAt: replies.numeralIfAny, vanished: replies.flag },
    'wrong-method': {},
    unsigned: {},
    refused: {},
    'other-type': { type: taskType },
    duplicate: {
      type: taskType,
      firstId: replies.text,
      anotherBody: replies.flag,
      isDouble: replies.flag,
    },
    accepted: {
      type: taskType,
      id: replies.text,
      waiting: replies.number,
      isPaused: replies.flag,
    },
  }),
  lua: (K, A, EACH) => `
${TRIM_HISTORY}
${WAITING_SINCE}
${JUDGE_CHANGE}
${NOTE_FOUND}
${KEY_TYPES}
local function bodyOf(id)
  local kept = redis.call('HMGET', ${K.executions}, id, id .. ':body')
  if not kept[1] then return nil end
  return kept[2] or string.match(kept[1], '\\n(.*)$') or string.match(kept[1], '"request_body":"([^"]*)"')
end

local task = redis.call('HMGET', ${K.task}, 'type', 'method', 'config', 'stopped', 'last_id', '${SIGNED_FIELD}')
if not task[1] then
  return {'unknown', redis.call('HGET', ${K.mark}, '${SYNCHRONIZED_FIELD}') or '', redis.call('SISMEMBER', ${K.tasks}, ${A.uuid})}
end
if task[2] ~= ${A.method} then return {'wrong-method'} end
if ${A.signature} == 'right' then
  if task[6] ~= '1' then redis.call('HSET', ${K.task}, '${SIGNED_FIELD}', '1') end
elseif ${A.signatureMode} == 'required' or (${A.signatureMode} == 'auto' and task[6] == '1') then
  return {'unsigned'}
end

local lastId = tonumber(task[5] or '') or 0
-- Greater than any number that Lua can add one to, or none at all ("nan").
if not (lastId < ${Number.MAX_SAFE_INTEGER}) then lastId = 0 end
local id = math.max(tonumber(${A.nowUs}), lastId + 1)
local oldest = id - ${REMEMBERED_US}
id = string.format('%.0f', id)
local first = ${A.requestUuid} ~= '' and redis.call('ZSCORE', ${K.seen}, ${A.requestUuid})
if not first then
  if task[1] ~= ${A.validatedFor} then return {'other-type', task[1]} end
  if ${A.validation} == 'refuse' then return {'refused'} end
end
if ${A.change} ~= '' then
  local known = string.match(redis.call('HGET', ${K.changes}, ${A.change}) or '', '(%d+)$')
  if known and tonumber(known) >= oldest then return {'duplicate', task[1], known, 0} end
end

local judged = {double = {}, late = {}, new = {}}
local twin = nil
if not first and ${A.validation} == 'accept' then
  for i = ${EACH.range} do
    if ${EACH.before} == '?' and ${A.change} ~= '' then
      noteFound(${K.refs}, ${EACH.ref}, ${EACH.after}, ${A.seenAfter}, id)
    else
      local kind, known = judgeChange(${K.refs}, ${EACH.ref}, ${EACH.before}, ${EACH.after}, id)
      table.insert(judged[kind], ${EACH.index})
      if kind == 'double' then twin = known end
    end
  end
  if #judged.late + #judged.new > 0 then twin = nil end
end
if twin then first = tonumber(twin) end

local isToWait = not first and ${A.validation} ~= 'ignore'
local isStopped = task[4] == '1'
local heads = isStopped and ${K.stoppedWaitingSince} or ${K.waitingSince}
local wrong = wrongTypeOf(isToWait and {${K.executions}, 'hash', ${K.waiting}, 'list', ${K.pending}, 'set', heads, 'zset'}
  or {${K.executions}, 'hash', ${K.done}, 'zset', ${K.states}, 'hash', ${K.failed}, 'zset'})
if wrong then return wrong end
-- The first write, since it fails where the counter is no number.
if isToWait then redis.call('INCR', ${K.waitingTotal}) end
redis.call('HSET', ${K.task}, 'last_id', id)
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
execution = execution .. ',' .. ${A.execution}
if ${A.body} ~= '' then
  redis.call('HSET', ${K.executions}, id, execution, id .. ':body', ${A.body})
else
  redis.call('HSET', ${K.executions}, id, execution)
end
if not isToWait then
  local state = ${A.ignoredState}
  if first then
    state = string.gsub(${A.duplicateState}, '{first}', string.format('%.0f000', first))
    state = string.gsub(state, '{same}', twin and 'change' or 'X-Request-UUID')
  end
  redis.call('HSET', ${K.states}, id, state)
  redis.call('ZADD', ${K.done}, id, id)
else
  length = redis.call('RPUSH', ${K.waiting}, id)
  if not isStopped then redis.call('SADD', ${K.pending}, ${A.uuid}) end
  pendingAdded(${A.uuid}, length, msOf(id), heads)
end
if ${A.change} ~= '' then noteChange(${K.changes}, ${A.change}, 'found:' .. id) end
writeNotes(${K.refs})
if twin and ${A.requestUuid} ~= '' then redis.call('ZADD', ${K.seen}, id, ${A.requestUuid}) end
if first then
  local before = bodyOf(string.format('%.0f', first))
  local another = not twin and before and before ~= bodyOf(id)
  trimHistory(${A.uuid}, ${K.done}, ${K.executions}, ${K.states}, ${K.failed}, tonumber(${A.history}))
  return {'duplicate', task[1], string.format('%.0f', first), another and 1 or 0, twin and 1 or 0}
end

if ${A.validation} == 'ignore' then trimHistory(${A.uuid}, ${K.done}, ${K.executions}, ${K.states}, ${K.failed}, tonumber(${A.history})) end
if ${A.requestUuid} ~= '' then
  redis.call('ZADD', ${K.seen}, id, ${A.requestUuid})
  local known = redis.call('ZCARD', ${K.seen})
  local spare = math.min(known - ${ALWAYS_REMEMBERED}, ${FORGOTTEN_AT_ONCE})
  if spare > 0 and known % ${FORGET_EVERY} == 0 then
    local forgotten = redis.call('ZRANGEBYSCORE', ${K.seen}, '-inf', string.format('%.0f', oldest), 'LIMIT', 0, spare)
    if #forgotten > 0 then known = known - redis.call('ZREM', ${K.seen}, unpack(forgotten)) end
  end
  local excess = known - ${MAX_REMEMBERED}
  if excess > 0 then redis.call('ZPOPMIN', ${K.seen}, math.min(excess, ${FORGOTTEN_AT_ONCE})) end
end
local isPaused = length == 1 and redis.pcall('HEXISTS', ${K.hookQueueMeta}, 'paused') ~= 0
return {'accepted', task[1], id, length, isPaused and 1 or 0}
`,
});
