import type { LuaNames } from '@cds/redis';

/** The keys of what is stored of executions, and of those that have ended. */
export const HISTORY_KEYS = ['executions', 'states', 'done', 'failed'] as const;

/**
 * Lua function: removes the oldest ids of a hook's history, or of its dead letters, beyond a count,
 * with their executions. Removes 500 at most, so that no script holds Redis up. Returns how many.
 */
export const trimHistory = (K: LuaNames<'executions' | 'states' | 'failed'>) => `
local function trimHistory(uuid, ended, keep)
  local excess = redis.call('ZCARD', ended) - tonumber(keep)
  if excess <= 0 then return 0 end
  local oldest = redis.call('ZPOPMIN', ended, math.min(excess, 500))
  for i = 1, #oldest, 2 do
    redis.call('HDEL', ${K.executions}, oldest[i], oldest[i] .. ':body')
    redis.call('HDEL', ${K.states}, oldest[i])
    redis.call('ZREM', ${K.failed}, uuid .. '/' .. oldest[i])
  end
  return #oldest / 2
end
`;
