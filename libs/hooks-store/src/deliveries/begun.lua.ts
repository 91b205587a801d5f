import { BEGUN_FIELD } from '../redis-keys';

/**
 * Lua functions that count, in the hash of the task, how often the oldest pending execution was
 * begun without an end.
 *
 * - `begin`: before its processing. Returns how often other processes began it. The first begin is
 *   counted at once, later ones by `writeBegun` when it is begun alone.
 * - `writeBegun`: begun for the `times`-th time; 0: it got further, or has ended.
 * - `giveBack`: the holder lives and gives up what it may have begun.
 *
 * A process that begins twice lives, and is counted once: a lock token is `process/claim`.
 */
export const BEGUN = `
local function writeBegun(task, id, holder, times)
  if times == 0 then
    redis.call('HDEL', task, '${BEGUN_FIELD}')
  elseif redis.call('EXISTS', task) == 1 then
    redis.call('HSET', task, '${BEGUN_FIELD}', id .. ' ' .. holder .. ' ' .. times)
  end
end
local function begin(task, id, holder)
  local begun = redis.call('HGET', task, '${BEGUN_FIELD}') or ''
  local begunId, by, times = string.match(begun, '^(%d+) ([^/ ]*)%S* (%d+)$')
  times = begunId == id and tonumber(times) or 0
  if times > 0 and by == string.match(holder, '^[^/]*') then times = times - 1 end
  if times == 0 then writeBegun(task, id, holder, 1) end
  return times
end
local function giveBack(task, holder)
  -- Of another type it is no task, and must not keep others from being given back.
  local begun = redis.pcall('HGET', task, '${BEGUN_FIELD}')
  local by = type(begun) == 'string' and string.match(begun, '^%d+ (%S+) ')
  if by == holder then redis.call('HDEL', task, '${BEGUN_FIELD}') end
end
`;
