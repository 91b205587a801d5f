/** The keys that append an execution to a hook's list. */
export const QUEUE_KEYS = [
  'waiting',
  'waitingTotal',
  'pending',
  'waitingSince',
  'stoppedWaitingSince',
] as const;

/**
 * Lua functions that store since when the oldest pending execution of each hook waits: in the
 * sorted set `waitingSince`, or in `stoppedWaitingSince` when its task is stopped. A hook's list is
 * in the order of waiting, and so is each set.
 *
 * - `msOf`: when the execution of an id was accepted (ms).
 * - `pendingAdded`: after an append to a list that is `length` long now.
 * - `pendingRemoved`: after a removal from a list; a retried one waits since its retry. It adds no
 *   hook that neither set has: STORE_WAITING_SINCE does, since that needs the task.
 */
export const WAITING_SINCE = `
local function msOf(id)
  return string.format('%.0f', math.floor((tonumber(id) or 0) / 1000))
end
local function pendingAdded(uuid, length, since, heads)
  if length == 1 then redis.call('ZADD', heads, since, uuid) end
end
local function pendingRemoved(uuid, waiting, states, heads, stoppedWaitingSince)
  local id = redis.call('LINDEX', waiting, 0)
  if not id then
    redis.call('ZREM', heads, uuid)
    redis.call('ZREM', stoppedWaitingSince, uuid)
    return
  end
  local state = redis.call('HGET', states, id)
  local since = state and string.match(state, '"queued_at":(%d+)') or msOf(id)
  redis.call('ZADD', heads, 'XX', since, uuid)
  redis.call('ZADD', stoppedWaitingSince, 'XX', since, uuid)
end
`;
