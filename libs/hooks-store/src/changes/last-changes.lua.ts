import { REMEMBERED_US } from './deduplication-window';
import { NOTE_CHANGE } from './note-change.lua';

/**
 * So long a change that two deliveries tell of is one: two webhooks with one URL deliver it at the
 * same time. In µs, as ids.
 */
const DOUBLE_WITHIN_US = 10 * 60 * 1_000_000;

/**
 * Lua functions. `judgeChange` judges a change of a branch or tag by the last one that was accepted
 * of it. Unless it is a double or older than that one, `writeNotes` notes it as the last. Nothing
 * is written before: a change that is known as the last leads to no run again, so its delivery has
 * to be stored first.
 *
 * A change is `old` and `new`, hashes; "" where the ref does not exist, `?` where the hash is not
 * known.
 *
 * - `double`: the same as the last one, minutes ago at most. With another change between both, it
 *   took place twice.
 * - `late`: it took place before the last one: that one began where it ended, and not the other way
 *   round. So is a deletion that names another commit than the last that was pushed: the branch is
 *   back.
 * - `new`: all others, and whatever came more than 48 hours after the last one.
 *
 * What is not known of decides nothing: a ref of which no change is noted, or an unknown hash,
 * makes a change `new`.
 * Returns what it is, and the id of the execution that told of the last one.
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
 * Lua function: has `writeNotes` note what a look at the repository found, unless a delivery told
 * of the same or, when it is a deletion, of a push after the look began.
 */
export const NOTE_FOUND = `
local function noteFound(refs, ref, new, seenAfter, id)
  local _, lastNew, lastId = lastOf(refs, ref)
  if lastNew == new then return end
  if new == '' and lastId and tonumber(lastId) > tonumber(seenAfter) then return end
  notes[ref] = '?>' .. new .. ':' .. id
end
`;
