import { BEGUN } from './begun.lua';

/**
 * Keeps how far the delivery at the head has come, and tells whether to go on with it.
 *
 * KEYS task, waiting, states, owner
 * ARGV holder, id, state (JSON), the state before (JSON or ""), how often it is begun with this; 0
 * when it got further
 * Returns `ok` | `lost` when another one holds the hook | `gone` when the delivery no longer waits | `stopped`
 *   (kept, but the task was stopped)
 *
 * A hook that nobody holds is taken again, if its delivery is as this holder left it: Redis may have been restarted
 * and have lost the holder. If it is not, another one was here and has gone already.
 */
export const SAVE_STATE = `
${BEGUN}
local owner = redis.call('GET', KEYS[4])
if owner and owner ~= ARGV[1] then return 'lost' end
if redis.call('LINDEX', KEYS[2], 0) ~= ARGV[2] then return 'gone' end
if not owner then
  local state = redis.call('HGET', KEYS[3], ARGV[2]) or ''
  if state ~= ARGV[4] and state ~= ARGV[3] then return 'lost' end
  redis.call('SET', KEYS[4], ARGV[1])
end
redis.call('HSET', KEYS[3], ARGV[2], ARGV[3])
writeBegun(KEYS[1], ARGV[2], ARGV[1], tonumber(ARGV[5]))
if redis.call('HGET', KEYS[1], 'stopped') == '1' then return 'stopped' end
return 'ok'
`;
