import { WAITING_HEADS } from '../waiting-heads.lua';

/**
 * Appends a replay of an execution to its hook's list. Asked for the same one again within a minute, it names the
 * replay that there is: the API asks the next replica when an answer is lost.
 *
 * KEYS task, executions, waiting, pending, waiting-total, done, dead, heads, stopped heads
 * ARGV uuid, id of the execution, now (µs), the replay's JSON without its opening brace and timestamp, time within
 *   which a repetition is none (µs)
 * Returns {`unknown`} | {`waiting`} when the execution is not finished | {`ok`, id} | {`again`, id}
 */
export const REPLAY_EXECUTION = `
${WAITING_HEADS}
local task = redis.call('HMGET', KEYS[1], 'type', 'stopped', 'last_id', 'last_replay')
if not task[1] or redis.call('HEXISTS', KEYS[2], ARGV[2]) == 0 then return {'unknown'} end
if not redis.call('ZSCORE', KEYS[6], ARGV[2]) and not redis.call('ZSCORE', KEYS[7], ARGV[2]) then
  return {'waiting'}
end
local now = tonumber(ARGV[3])
local before, replay = string.match(task[4] or '', '^(%d+)/(%d+)$')
if before == ARGV[2] and math.abs(now - tonumber(replay)) < tonumber(ARGV[5]) then return {'again', replay} end

local id = string.format('%.0f', math.max(now, (tonumber(task[3] or '') or 0) + 1))
redis.call('HSET', KEYS[1], 'last_id', id, 'last_replay', ARGV[2] .. '/' .. id)
redis.call('HSET', KEYS[2], id, '{"timestamp":' .. id .. '000,' .. ARGV[4])
local length = redis.call('RPUSH', KEYS[3], id)
redis.call('INCR', KEYS[5])
if task[2] ~= '1' then redis.call('SADD', KEYS[4], ARGV[1]) end
headAdded(ARGV[1], length, msOf(id), KEYS[task[2] == '1' and 9 or 8])
return {'ok', id}
`;
