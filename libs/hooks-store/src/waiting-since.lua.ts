/** The keys by which an execution is put at the end of a hook's list. */
export const QUEUE_KEYS = [
  'waiting',
  'waitingTotal',
  'pending',
  'waitingSince',
  'stoppedWaitingSince',
] as const;

/**
 * Lua functions that keep, of each hook for which deliveries wait, since when the one at the head
 * has waited: in the sorted set `heads`, or in `stoppedWaitingSince` when its task is stopped. A hook's
 * list is in the order in which deliveries came to wait, so its head has waited longest, and the
 * first of a set has waited longest of all.
 *
 * `msOf`: when the execution of an id was accepted (ms).
 * `pendingAdded`: after something was put at the end of a list that is `length` long now.
 * `pendingRemoved`: after something was taken out of a list; what was sent again waits since then, which
 *   its state tells. It adds nothing that neither set knows: that needs a look at the task, and is
 *   for STORE_WAITING_SINCE.
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
