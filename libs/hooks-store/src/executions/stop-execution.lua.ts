import { TRIM_HISTORY } from '../trim-history.lua';
import { WAITING_HEADS } from '../waiting-heads.lua';

/**
 * Ends a delivery that waits, wherever it stands in the list. A finished one is left as it is.
 *
 * KEYS executions, states, waiting, done, waiting-total, failed, pending, heads, stopped heads
 * ARGV uuid, id, state (JSON), history to keep
 * Returns `unknown` | `done` | `ok`
 */
export const STOP_EXECUTION = `
${TRIM_HISTORY}
${WAITING_HEADS}
if redis.call('HEXISTS', KEYS[1], ARGV[2]) == 0 then return 'unknown' end
if redis.call('LREM', KEYS[3], 1, ARGV[2]) == 0 then return 'done' end
redis.call('DECR', KEYS[5])
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
redis.call('ZADD', KEYS[4], ARGV[2], ARGV[2])
trimHistory(ARGV[1], KEYS[4], KEYS[1], KEYS[2], KEYS[6], tonumber(ARGV[4]))
headMoved(ARGV[1], KEYS[3], KEYS[2], KEYS[8], KEYS[9])
if redis.call('LLEN', KEYS[3]) == 0 then redis.call('SREM', KEYS[7], ARGV[1]) end
return 'ok'
`;
