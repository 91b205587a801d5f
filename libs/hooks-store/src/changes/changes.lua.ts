import { defineScript, replies } from '@cds/redis';
import { REMEMBERED_US } from './change-name';

/** Changes of a hook that are kept at any age. */
const KEPT_CHANGES = 1_000;
/** Younger changes are kept too, since the next poll returns them again: an hour, in µs as ids. */
const YOUNG_US = 3_600 * 1_000_000;
/** A bound on all: `vcs` keeps half as many events of a repository. */
const MAX_CHANGES = 10_000;
/** New changes between two removals of old ones. */
const TRIM_EVERY = 100;

/** Lua function: stores the result of a change (`…id`), and removes the oldest of too many. */
const NOTE_CHANGE = `
local function noteChange(changes, change, value)
  redis.call('HSET', changes, change, value)
  local count = redis.call('HLEN', changes)
  if count <= ${KEPT_CHANGES} or count % ${TRIM_EVERY} ~= 0 then return end
  local young = tonumber(string.match(value, '(%d+)$')) - ${YOUNG_US}
  local all = redis.call('HGETALL', changes)
  local aged = {}
  for i = 1, #all, 2 do
    table.insert(aged, {all[i], tonumber(string.match(all[i + 1], '(%d+)$') or '0')})
  end
  table.sort(aged, function(a, b) return a[2] < b[2] end)
  for i = 1, count - ${KEPT_CHANGES} do
    if aged[i][2] >= young and count - i < ${MAX_CHANGES} then return end
    redis.call('HDEL', changes, aged[i][1])
  end
end
`;

/** Stores the result of a change. A push also forgets the deletion of its branch. */
export const STORE_CHANGE = defineScript({
  name: 'cdsbbStoreChange',
  keys: ['owner', 'changes'],
  args: ['lockToken', 'change', 'value', 'forgotten'],
  reply: replies.oneOf('ok', 'lost'),
  lua: (K, A) => `
${NOTE_CHANGE}
local owner = redis.call('GET', ${K.owner})
if owner and owner ~= ${A.lockToken} then return 'lost' end
if ${A.forgotten} ~= '' then redis.call('HDEL', ${K.changes}, ${A.forgotten}) end
if ${A.change} ~= '' then noteChange(${K.changes}, ${A.change}, ${A.value}) end
return 'ok'
`,
});

/** Within this time (µs) two deliveries of one change are one: two webhooks may have one URL. */
const DOUBLE_WITHIN_US = 10 * 60 * 1_000_000;

/**
 * Lua functions. `judgeChange` compares a change of a branch or tag with its last accepted one.
 * `writeNotes` stores it as the last, unless it is a double or older. It writes after the delivery
 * is stored, since a stored change starts no run again. `noteFound` has it store a change that a
 * poll found, unless a delivery had the same or, for a deletion, a push after the poll began.
 *
 * A change is `old` and `new`, hashes; "" where the ref does not exist, `?` where the hash is
 * unknown.
 *
 * - `double`: the same as the last one, minutes ago at most. With another change in between, it
 *   took place twice.
 * - `late`: it took place before the last one, which began where this one ended, and not the other
 *   way round. So is a deletion of another commit than the last pushed one: the branch is back.
 * - `new`: all others, and any change more than 48 hours after the last one.
 *
 * An unknown ref or hash makes a change `new`.
 * Returns the kind, and the id of the execution with the last change.
 */
export const JUDGE_CHANGE = `
${NOTE_CHANGE}
local notes = {}
local function lastOf(refs, ref)
  local last = notes[ref] or redis.call('HGET', refs, ref) or ''
  return string.match(last, '^([^>]*)>([^:]*):(%d+)$')
end
local function writeNotes(refs)
  for ref, value in pairs(notes) do noteChange(refs, ref, value) end
end
local function judgeChange(refs, ref, old, new, id)
  local lastOld, lastNew, lastId = lastOf(refs, ref)
  local kind = 'new'
  local age = lastId and tonumber(id) - tonumber(lastId)
  if lastId and age < ${REMEMBERED_US} and old ~= '?' and new ~= '?' then
    if old == lastOld and new == lastNew then
      if age < ${DOUBLE_WITHIN_US} then kind = 'double' end
    elseif old ~= lastNew and lastNew ~= '?' then
      local isBefore = new == lastOld
      local isOfAnother = new == '' and lastNew ~= ''
      if isBefore or isOfAnother then kind = 'late' end
    end
  end
  if kind == 'new' then notes[ref] = old .. '>' .. new .. ':' .. id end
  return kind, lastId
end
local function noteFound(refs, ref, new, seenAfter, id)
  local _, lastNew, lastId = lastOf(refs, ref)
  if lastNew == new then return end
  if new == '' and lastId and tonumber(lastId) > tonumber(seenAfter) then return end
  notes[ref] = '?>' .. new .. ':' .. id
end
`;
