import type { LuaNames } from '@cds/redis';

/** The sorted sets of cleanups: scheduled, stopped, failed. */
export const CLEANUP_SETS = ['cleanups', 'stoppedCleanups', 'failedCleanups'] as const;

/** Lua function: removes a cleanup and all that refers to it. */
export const forgetCleanup = (K: LuaNames<(typeof CLEANUP_SETS)[number]>) => `
local function forget(id, prefix, hookPrefix)
  local record = redis.call('HMGET', prefix .. id, 'hook', 'branch')
  if record[1] and redis.call('HGET', hookPrefix .. record[1], record[2]) == id then
    redis.call('HDEL', hookPrefix .. record[1], record[2])
  end
  redis.call('UNLINK', prefix .. id)
  redis.call('ZREM', ${K.cleanups}, id)
  redis.call('ZREM', ${K.stoppedCleanups}, id)
  redis.call('ZREM', ${K.failedCleanups}, id)
end
`;
