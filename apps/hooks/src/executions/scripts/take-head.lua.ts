import { WAITING_HEADS } from '@cds/hooks-store';

/**
 * Reads the oldest delivery that waits at a hook; it stays at the head until it is finished.
 *
 * KEYS task, waiting, executions, states, owner, pending, waiting-total, waiting-for-api, cleanups, stopped cleanups,
 *   failed cleanups, heads, stopped heads
 * ARGV holder, uuid, job id
 * Returns {`lost`} when another one holds the hook | {`gone`} | {`stopped`} | {`empty`} |
 *   {`work`, type, config, id, execution, state or "", number of cleanups, whatever their state}
 */
export const TAKE_HEAD = `
${WAITING_HEADS}
local owner = redis.call('GET', KEYS[5])
if owner and owner ~= ARGV[1] then return {'lost'} end
if not owner then redis.call('SET', KEYS[5], ARGV[1]) end
redis.call('ZREM', KEYS[8], ARGV[3])

local task = redis.call('HMGET', KEYS[1], 'type', 'config', 'stopped')
if not task[1] then
  redis.call('SREM', KEYS[6], ARGV[2])
  redis.call('ZREM', KEYS[12], ARGV[2])
  redis.call('ZREM', KEYS[13], ARGV[2])
  return {'gone'}
end
if task[3] == '1' then return {'stopped'} end
while true do
  local id = redis.call('LINDEX', KEYS[2], 0)
  if not id then
    redis.call('SREM', KEYS[6], ARGV[2])
    return {'empty'}
  end
  local execution = redis.call('HGET', KEYS[3], id)
  if execution then
    return {'work', task[1], task[2], id, execution, redis.call('HGET', KEYS[4], id) or '',
      redis.call('ZCARD', KEYS[9]) + redis.call('ZCARD', KEYS[10]) + redis.call('ZCARD', KEYS[11])}
  end
  redis.call('LPOP', KEYS[2])
  redis.call('DECR', KEYS[7])
  headMoved(ARGV[2], KEYS[2], KEYS[4], KEYS[12], KEYS[13])
end
`;
