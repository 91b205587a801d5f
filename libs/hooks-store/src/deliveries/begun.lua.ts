import { BEGUN_FIELD } from '../redis-keys';

/**
 * Lua functions that count, in the hash of the task, how often the execution at the head was begun
 * and did not end.
 *
 * `begin`: for the holder, before it is worked on. Returns how often others had begun it and did
 *   not come to an end; what nobody had is counted at once, the others when they are begun alone
 *   (`writeBegun`).
 * `writeBegun`: it is begun for the `times`-th time; 0: it got further, or has ended.
 * `giveBack`: the holder lives and gives up what it may have begun.
 *
 * A process that begins twice lives, and is counted once: a holder is `process/claim`.
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
  local begunId, by, times = string.match(redis.call('HGET', task, '${BEGUN_FIELD}') or '', '^(%d+) (%S+) (%d+)$')
  times = begunId == id and tonumber(times) or 0
  if times > 0 and string.match(by, '^[^/]*') == string.match(holder, '^[^/]*') then times = times - 1 end
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
