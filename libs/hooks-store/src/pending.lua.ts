import type { LuaNames } from '@cds/redis';

/** The keys that append an execution to a hook's list. */
export const QUEUE_KEYS = [
  'waiting',
  'waitingTotal',
  'pending',
  'waitingSince',
  'stoppedWaitingSince',
] as const;

/**
 * Lua functions for the pending executions of hooks. They store since when the oldest one of each
 * hook waits: in the sorted set `waitingSince`, or in `stoppedWaitingSince` when its task is
 * stopped. A hook's list is in the order of waiting, and so is each set.
 *
 * - `nextId`: the id of an execution: µs, unique and growing for each task, whatever the clocks of
 *   the replicas say.
 * - `msOf`: when the execution of an id was accepted (ms).
 * - `append`: puts an execution at the end of a list. It waits since `since` (ms). Returns the
 *   length of the list.
 * - `noPending`: a hook has none any more.
 * - `pendingRemoved`: after a removal from a list; a retried one waits since its retry. It adds no
 *   hook that neither set has.
 */
export const pendingFunctions = (
  K: LuaNames<'pending' | 'waitingSince' | 'stoppedWaitingSince'>,
) => `
local function nextId(us, last)
  local before = tonumber(last or '') or 0
  -- Greater than any number that Lua can add one to, or none at all ("nan").
  if not (before < ${Number.MAX_SAFE_INTEGER}) then before = 0 end
  return string.format('%.0f', math.max(tonumber(us), before + 1))
end
local function msOf(id)
  return string.format('%.0f', math.floor((tonumber(id) or 0) / 1000))
end
local function append(uuid, waiting, id, since, isStopped)
  local length = redis.call('RPUSH', waiting, id)
  if not isStopped then redis.call('SADD', ${K.pending}, uuid) end
  local heads = isStopped and ${K.stoppedWaitingSince} or ${K.waitingSince}
  if length == 1 then redis.call('ZADD', heads, since, uuid) end
  return length
end
local function noPending(uuid)
  redis.call('SREM', ${K.pending}, uuid)
  redis.call('ZREM', ${K.waitingSince}, uuid)
  redis.call('ZREM', ${K.stoppedWaitingSince}, uuid)
end
local function pendingRemoved(uuid, waiting, states)
  local id = redis.call('LINDEX', waiting, 0)
  if not id then return noPending(uuid) end
  local state = redis.call('HGET', states, id)
  local since = state and string.match(state, '"queued_at":(%d+)') or msOf(id)
  redis.call('ZADD', ${K.waitingSince}, 'XX', since, uuid)
  redis.call('ZADD', ${K.stoppedWaitingSince}, 'XX', since, uuid)
end
`;
