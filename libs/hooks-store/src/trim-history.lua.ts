/** The keys of what is stored of executions, and of those that have ended. */
export const HISTORY_KEYS = ['executions', 'states', 'done', 'failed'] as const;

/**
 * Lua function: removes the oldest finished executions of a hook beyond those to keep. What waits
 * is in no history and so always kept. At most 500 at a time, so that no script holds Redis up.
 */
export const TRIM_HISTORY = `
local function trimHistory(uuid, done, executions, states, failed, keep)
  local excess = redis.call('ZCARD', done) - keep
  if excess <= 0 then return end
  local oldest = redis.call('ZPOPMIN', done, math.min(excess, 500))
  for i = 1, #oldest, 2 do
    redis.call('HDEL', executions, oldest[i], oldest[i] .. ':body')
    redis.call('HDEL', states, oldest[i])
    redis.call('ZREM', failed, uuid .. '/' .. oldest[i])
  end
end
`;
