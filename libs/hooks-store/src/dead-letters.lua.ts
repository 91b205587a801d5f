/**
 * Lua functions on the executions of a hook that failed for good.
 *
 * `trimDeadLetters` removes the oldest beyond those to keep, at most 500 at a time so that no
 * script holds Redis up, and returns how many it removed. `forgetFailed` takes all that a sorted
 * set of ids names out of the list of all dead letters.
 */
export const DEAD_LETTERS = `
local function trimDeadLetters(uuid, dead, executions, states, failed, keep)
  local excess = redis.call('ZCARD', dead) - keep
  if excess <= 0 then return 0 end
  local oldest = redis.call('ZPOPMIN', dead, math.min(excess, 500))
  for i = 1, #oldest, 2 do
    redis.call('HDEL', executions, oldest[i], oldest[i] .. ':body')
    redis.call('HDEL', states, oldest[i])
    redis.call('ZREM', failed, uuid .. '/' .. oldest[i])
  end
  return #oldest / 2
end
local function forgetFailed(uuid, ids, failed)
  for _, id in ipairs(redis.call('ZRANGE', ids, 0, -1)) do
    redis.call('ZREM', failed, uuid .. '/' .. id)
  end
end
`;
