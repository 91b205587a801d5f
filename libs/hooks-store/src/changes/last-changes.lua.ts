import { REMEMBERED_US } from './deduplication-window';
import { NOTE_CHANGE } from './note-change.lua';

/**
 * Two deliveries of one change within this time (µs) are one: two webhooks with one URL deliver it
 * at the same time.
 */
const DOUBLE_WITHIN_US = 10 * 60 * 1_000_000;

/**
 * Lua functions. `judgeChange` compares a change of a branch or tag with its last accepted one.
 * `writeNotes` stores it as the last, unless it is a double or older. It writes after the delivery
 * is stored, since a stored change starts no run again.
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
local function readLast(text)
  local old, new, id = string.match(text or '', '^([^>]*)>([^:]*):(%d+)$')
  return old, new, id
end
local notes = {}
local function lastOf(refs, ref)
  return readLast(notes[ref] or redis.call('HGET', refs, ref))
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
`;

/**
 * Lua function: has `writeNotes` store a change that a poll found, unless a delivery had the same
 * or, for a deletion, a push after the poll began.
 */
export const NOTE_FOUND = `
local function noteFound(refs, ref, new, seenAfter, id)
  local _, lastNew, lastId = lastOf(refs, ref)
  if lastNew == new then return end
  if new == '' and lastId and tonumber(lastId) > tonumber(seenAfter) then return end
  notes[ref] = '?>' .. new .. ':' .. id
end
`;
