/**
 * Moves the execution at the head of a hook's list to its end.
 * It has waited longest all the same, so since when the hook has something waiting is not touched.
 *
 * KEYS waiting, owner · ARGV holder, id
 * Returns `ok` | `only` when nothing else waits | `lost` when another one holds the hook, or the head is another one
 */
export const MOVE_BACK = `
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 'lost' end
if redis.call('LINDEX', KEYS[1], 0) ~= ARGV[2] then return 'lost' end
if redis.call('LLEN', KEYS[1]) == 1 then return 'only' end
redis.call('RPUSH', KEYS[1], redis.call('LPOP', KEYS[1]))
return 'ok'
`;
