import { TRIM_HISTORY } from '@cds/hooks-store';

/**
 * Moves the delivery at the head into the history.
 *
 * KEYS waiting, states, owner, done, executions, waiting-total, failed, pending
 * ARGV holder, uuid, id, state (JSON), history to keep, 1 when it failed for good, the state before
 *   (JSON or "")
 * Returns `ok` | `lost` | `gone`, as SAVE_STATE; safe to repeat
 */
export const FINISH_EXECUTION = `
${TRIM_HISTORY}
local owner = redis.call('GET', KEYS[3])
if owner and owner ~= ARGV[1] then return 'lost' end
if redis.call('LINDEX', KEYS[1], 0) ~= ARGV[3] then return 'gone' end
if not owner then
  if (redis.call('HGET', KEYS[2], ARGV[3]) or '') ~= ARGV[7] then return 'lost' end
  redis.call('SET', KEYS[3], ARGV[1])
end
redis.call('LPOP', KEYS[1])
redis.call('DECR', KEYS[6])
redis.call('HSET', KEYS[2], ARGV[3], ARGV[4])
redis.call('ZADD', KEYS[4], ARGV[3], ARGV[3])
if ARGV[6] == '1' then redis.call('ZADD', KEYS[7], ARGV[3], ARGV[2] .. '/' .. ARGV[3]) end
trimHistory(ARGV[2], KEYS[4], KEYS[5], KEYS[2], KEYS[7], tonumber(ARGV[5]))
if redis.call('LLEN', KEYS[1]) == 0 then redis.call('SREM', KEYS[8], ARGV[2]) end
return 'ok'
`;
