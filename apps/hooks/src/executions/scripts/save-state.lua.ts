/**
 * Keeps how far the delivery at the head has come, and tells whether to go on with it.
 *
 * KEYS task, waiting, states, owner
 * ARGV holder, id, state (JSON)
 * Returns `ok` | `lost` when another one holds the hook | `gone` when the delivery no longer waits | `stopped`
 *   (kept, but the task was stopped)
 *
 * A hook that nobody holds is taken again: a restart of Redis may have lost the holder, and nobody has come since.
 */
export const SAVE_STATE = `
local owner = redis.call('GET', KEYS[4])
if owner and owner ~= ARGV[1] then return 'lost' end
if redis.call('LINDEX', KEYS[2], 0) ~= ARGV[2] then return 'gone' end
if not owner then redis.call('SET', KEYS[4], ARGV[1]) end
redis.call('HSET', KEYS[3], ARGV[2], ARGV[3])
if redis.call('HGET', KEYS[1], 'stopped') == '1' then return 'stopped' end
return 'ok'
`;
