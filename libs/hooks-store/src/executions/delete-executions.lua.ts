import { DEAD_LETTERS } from '../dead-letters.lua';

/**
 * Removes all executions of a task: the history, the dead letters and those that wait.
 *
 * KEYS executions, states, waiting, done, waiting-total, failed, pending, heads, stopped heads, dead, task
 * ARGV uuid, id of the last delivery that waits as far as the caller looked, or ""
 * Returns `ok` | `more` when deliveries came in meanwhile at a repository webhook: one may bring a branch back
 *
 * A Redis that is out of memory takes whatever follows a first write that frees memory.
 */
export const DELETE_EXECUTIONS = `
${DEAD_LETTERS}
local last = redis.call('LINDEX', KEYS[3], -1)
if last and last ~= ARGV[2] and redis.call('HGET', KEYS[11], 'type') == 'RepoWebHook' then return 'more' end
local waiting = redis.call('LLEN', KEYS[3])
redis.call('SREM', KEYS[7], ARGV[1])
redis.call('ZREM', KEYS[8], ARGV[1])
redis.call('ZREM', KEYS[9], ARGV[1])
if waiting > 0 then redis.call('DECRBY', KEYS[5], waiting) end
forgetFailed(ARGV[1], KEYS[4], KEYS[6])
forgetFailed(ARGV[1], KEYS[10], KEYS[6])
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[10])
return 'ok'
`;
