/** Lua function: takes the ids of a sorted set out of the list of all dead letters. */
export const FORGET_FAILED = `
local function forgetFailed(uuid, ids, failed)
  for _, id in ipairs(redis.call('ZRANGE', ids, 0, -1)) do
    redis.call('ZREM', failed, uuid .. '/' .. id)
  end
end
`;
