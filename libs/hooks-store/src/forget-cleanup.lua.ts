/**
 * Lua function: takes a cleanup out of everything that knows it. KEYS 1 to 3 of the script are the sorted sets of
 * cleanups: scheduled, stopped, failed.
 */
export const FORGET_CLEANUP = `
local function forget(id, prefix, hookPrefix)
  local record = redis.call('HMGET', prefix .. id, 'hook', 'branch')
  if record[1] and redis.call('HGET', hookPrefix .. record[1], record[2]) == id then
    redis.call('HDEL', hookPrefix .. record[1], record[2])
  end
  redis.call('UNLINK', prefix .. id)
  redis.call('ZREM', KEYS[1], id)
  redis.call('ZREM', KEYS[2], id)
  redis.call('ZREM', KEYS[3], id)
end
`;
