/**
 * Removes all executions of a task, those that wait too.
 *
 * KEYS executions, states, waiting, done, waiting-total, failed, pending
 * ARGV uuid
 */
export const DELETE_EXECUTIONS = `
local waiting = redis.call('LLEN', KEYS[3])
if waiting > 0 then redis.call('DECRBY', KEYS[5], waiting) end
for _, id in ipairs(redis.call('ZRANGE', KEYS[4], 0, -1)) do
  redis.call('ZREM', KEYS[6], ARGV[1] .. '/' .. id)
end
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
redis.call('SREM', KEYS[7], ARGV[1])
return 'ok'
`;
