import { DEAD_LETTERS } from '@cds/hooks-store';

/**
 * Removes all executions of a task: the history, the dead letters and those that wait.
 *
 * KEYS executions, states, waiting, done, waiting-total, failed, pending, dead
 * ARGV uuid
 */
export const DELETE_EXECUTIONS = `
${DEAD_LETTERS}
local waiting = redis.call('LLEN', KEYS[3])
if waiting > 0 then redis.call('DECRBY', KEYS[5], waiting) end
forgetFailed(ARGV[1], KEYS[4], KEYS[6])
forgetFailed(ARGV[1], KEYS[8], KEYS[6])
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[8])
redis.call('SREM', KEYS[7], ARGV[1])
return 'ok'
`;
