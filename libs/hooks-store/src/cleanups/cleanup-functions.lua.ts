import type { LuaNames } from '@cds/redis';

/** The sorted sets of cleanups: scheduled, stopped, failed. */
export const CLEANUP_SETS = ['cleanups', 'stoppedCleanups', 'failedCleanups'] as const;

/** Lua function: removes a cleanup and all that refers to it. */
export const forgetCleanup = (
  K: LuaNames<(typeof CLEANUP_SETS)[number]>,
  A: LuaNames<'recordPrefix' | 'hookCleanupsPrefix'>,
) => `
local function forget(id)
  local record = redis.call('HMGET', ${A.recordPrefix} .. id, 'hook', 'branch')
  local byHook = record[1] and ${A.hookCleanupsPrefix} .. record[1]
  if byHook and redis.call('HGET', byHook, record[2]) == id then
    redis.call('HDEL', byHook, record[2])
  end
  redis.call('UNLINK', ${A.recordPrefix} .. id)
  redis.call('ZREM', ${K.cleanups}, id)
  redis.call('ZREM', ${K.stoppedCleanups}, id)
  redis.call('ZREM', ${K.failedCleanups}, id)
end
`;

/**
 * Lua functions for removals by the API. `under_way` holds hook and lock token from before the call
 * until the API has answered or nothing was sent. `unsure` stands for an earlier call of another
 * process with an unknown result: the API may still remove the runs.
 */
export const REMOVAL_MARKS = `
local function markUnderWay(record, mark)
  local before = redis.call('HGET', record, 'under_way')
  if before and before ~= mark then redis.call('HSET', record, 'unsure', '1') end
  redis.call('HSET', record, 'under_way', mark)
end
local function isUnsure(record)
  local kept = redis.call('HMGET', record, 'status', 'under_way', 'unsure')
  return kept[1] == 'waiting' and (kept[2] or kept[3]) and true or false
end
`;

/**
 * Lua function: whether a cleanup is scheduled as it was read. After a try by another job it is in
 * a pause, and has more errors.
 */
export const IS_AS_READ = `
local function isAsRead(record, accepted, due, retryAt, outages)
  local kept = redis.call('HMGET', record, 'accepted', 'status', 'due', 'retry_at', 'outages')
  if kept[1] ~= accepted or kept[2] ~= 'waiting' then return false end
  return tonumber(kept[3]) == tonumber(due) and (tonumber(kept[4]) or 0) == tonumber(retryAt)
    and (tonumber(kept[5]) or 0) == tonumber(outages)
end
`;
