import { defineScript, replies } from '@cds/redis';
import { KEY_TYPES } from '../key-types.lua';
import { SIGNED_FIELD } from '../redis-keys';
import { HISTORY_KEYS, trimHistory } from '../trim-history.lua';
import { pendingFunctions, QUEUE_KEYS } from '../pending.lua';
import { REMEMBERED_US } from '../changes/change-name';
import { JUDGE_CHANGE } from '../changes/changes.lua';
import { ABSENT_HOOK, absentHook, taskType } from './look-up-hook.lua';

/** The newest are known at any age: a clock that was days ahead for a moment must not clear all. */
const ALWAYS_REMEMBERED = 1_000;
/** Every so many deliveries the old ones are removed. */
const FORGET_EVERY = 50;
/** A delivery a second for 48 h. A bound where ids do not grow because a clock was far ahead. */
const MAX_REMEMBERED = 200_000;
/** Removals of one script at most, so that it does not hold Redis up. */
const FORGOTTEN_AT_ONCE = 500;

/**
 * Accepts a delivery: everything or nothing, in one round trip. A known one is queued, and a queued
 * one is known. Redis does not roll back a script that fails. So every key is read before the first
 * write, and what makes a later delivery a duplicate is written last.
 *
 * The age of a delivery is told by its id, and the newest are always known, so no clock that jumps
 * and no time-to-live makes a delivery count twice or not at all. The configuration is copied as
 * text, since Lua's JSON cannot tell an empty list from an empty object.
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
  // The changes of branches and tags: index in the push, ref, hashes; see JUDGE_CHANGE. Of what a
  // poll found, the hash before is `?`.
  each: ['index', 'ref', 'before', 'after'],
  reply: replies.variants({
    unknown: ABSENT_HOOK,
    'wrong-method': {},
    /** A signature is required. */
    unsigned: {},
    refused: {},
    /** The hook has this type now: validate for it, and store again. */
    'other-type': { type: taskType },
    duplicate: {
      type: taskType,
      /** The execution of the first delivery. */
      firstId: replies.text,
      anotherBody: replies.flag,
      /** Another delivery had all its changes. */
      isDouble: replies.flag,
    },
    accepted: {
      type: taskType,
      id: replies.text,
      /** Pending executions of the hook, this one included. */
      waiting: replies.number,
      /** It is the only one, and nothing is processed during a maintenance of CDS. */
      isPaused: replies.flag,
    },
  }),
  lua: (K, A, EACH) => `
${trimHistory(K)}
${pendingFunctions(K)}
${JUDGE_CHANGE}
${KEY_TYPES}
local function bodyOf(id)
  local kept = redis.call('HMGET', ${K.executions}, id, id .. ':body')
  if not kept[1] then return nil end
  return kept[2] or string.match(kept[1], '"request_body":"([^"]*)"')
end

local task = redis.call('HMGET', ${K.task}, 'type', 'method', 'config', 'stopped', 'last_id',
  '${SIGNED_FIELD}')
if not task[1] then return ${absentHook(K, A)} end
if task[2] ~= ${A.method} then return {'wrong-method'} end
if ${A.signature} == 'right' then
  if task[6] ~= '1' then redis.call('HSET', ${K.task}, '${SIGNED_FIELD}', '1') end
elseif ${A.signatureMode} == 'required' or (${A.signatureMode} == 'auto' and task[6] == '1') then
  return {'unsigned'}
end

local id = nextId(${A.nowUs}, task[5])
local oldest = tonumber(id) - ${REMEMBERED_US}
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
local wrong = wrongTypeOf({${K.executions}, 'hash'}) or wrongTypeOf(isToWait
  and {${K.waiting}, 'list', ${K.pending}, 'set', heads, 'zset'}
  or {${K.done}, 'zset', ${K.states}, 'hash', ${K.failed}, 'zset'})
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
  length = append(${A.uuid}, ${K.waiting}, id, msOf(id), isStopped)
end
if ${A.change} ~= '' then noteChange(${K.changes}, ${A.change}, 'found:' .. id) end
writeNotes(${K.refs})
if twin and ${A.requestUuid} ~= '' then redis.call('ZADD', ${K.seen}, id, ${A.requestUuid}) end
if first then
  local before = bodyOf(string.format('%.0f', first))
  local another = not twin and before and before ~= bodyOf(id)
  trimHistory(${A.uuid}, ${K.done}, ${A.history})
  return {'duplicate', task[1], string.format('%.0f', first), another and 1 or 0, twin and 1 or 0}
end

if ${A.validation} == 'ignore' then trimHistory(${A.uuid}, ${K.done}, ${A.history}) end
if ${A.requestUuid} ~= '' then
  redis.call('ZADD', ${K.seen}, id, ${A.requestUuid})
  local known = redis.call('ZCARD', ${K.seen})
  local spare = math.min(known - ${ALWAYS_REMEMBERED}, ${FORGOTTEN_AT_ONCE})
  if spare > 0 and known % ${FORGET_EVERY} == 0 then
    local forgotten = redis.call('ZRANGEBYSCORE', ${K.seen}, '-inf', string.format('%.0f', oldest),
      'LIMIT', 0, spare)
    if #forgotten > 0 then known = known - redis.call('ZREM', ${K.seen}, unpack(forgotten)) end
  end
  local excess = known - ${MAX_REMEMBERED}
  if excess > 0 then redis.call('ZPOPMIN', ${K.seen}, math.min(excess, ${FORGOTTEN_AT_ONCE})) end
end
local isPaused = length == 1 and redis.pcall('HEXISTS', ${K.hookQueueMeta}, 'paused') ~= 0
return {'accepted', task[1], id, length, isPaused and 1 or 0}
`,
});
