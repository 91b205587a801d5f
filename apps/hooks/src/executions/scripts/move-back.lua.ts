import { WAITING_HEADS } from '@cds/hooks-store';

/**
 * Moves the execution at the head of a hook's list to its end.
 *
 * KEYS waiting, owner, states, heads, stopped heads · ARGV holder, id, uuid
 * Returns `ok` | `only` when nothing else waits | `lost` when another one holds the hook, or the head is another one
 */
export const MOVE_BACK = `
${WAITING_HEADS}
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 'lost' end
if redis.call('LINDEX', KEYS[1], 0) ~= ARGV[2] then return 'lost' end
if redis.call('LLEN', KEYS[1]) == 1 then return 'only' end
redis.call('RPUSH', KEYS[1], redis.call('LPOP', KEYS[1]))
headMoved(ARGV[3], KEYS[1], KEYS[3], KEYS[4], KEYS[5])
return 'ok'
`;
