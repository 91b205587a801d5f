import { SCHEDULE_CLEANUP } from '../cleanups/cleanup-scripts.lua';
import { WAITING_HEADS } from '../waiting-heads.lua';

/**
 * Appends a delivery that another hooks accepted to its hook's list, once.
 *
 * KEYS task, executions, states, waiting, pending, waiting-total, seen, imported, heads, stopped heads
 * ARGV uuid, its name among the imported, when it was accepted (µs), the execution's JSON without its opening brace and
 *   timestamp, its state (JSON), X-Request-UUID or "", the `replay_of` of one that is late (JSON, with a comma), 1 when
 *   it is known to be late
 * Returns {`known`} | {`unknown`} without such a task | {`duplicate`} when it came in again since | {`late` or `ok`, id}
 *
 * Late is what is older than something that the hook had later. It goes in as a replay: its runs are asked for, and
 * cleanups are left alone, since its branches may have been pushed to or deleted again meanwhile.
 */
export const IMPORT_DELIVERY = `
${WAITING_HEADS}
if redis.call('HEXISTS', KEYS[8], ARGV[2]) == 1 then return {'known'} end
local task = redis.call('HMGET', KEYS[1], 'type', 'stopped', 'last_id')
if not task[1] then return {'unknown'} end
if ARGV[6] ~= '' and redis.call('ZSCORE', KEYS[7], ARGV[6]) then
  redis.call('HSET', KEYS[8], ARGV[2], 'duplicate')
  return {'duplicate'}
end
local accepted, last = tonumber(ARGV[3]), tonumber(task[3] or '0')
local late = task[1] == 'RepoWebHook' and (ARGV[8] == '1' or accepted < last)
local id = string.format('%.0f', math.max(accepted, last + 1))
redis.call('HSET', KEYS[1], 'last_id', id)
redis.call('HSET', KEYS[2], id, '{"timestamp":' .. id .. '000,' .. (late and ARGV[7] or '') .. ARGV[4])
redis.call('HSET', KEYS[3], id, ARGV[5])
local length = redis.call('RPUSH', KEYS[4], id)
redis.call('INCR', KEYS[6])
if task[2] ~= '1' then redis.call('SADD', KEYS[5], ARGV[1]) end
headAdded(ARGV[1], length, msOf(id), KEYS[task[2] == '1' and 10 or 9])
if ARGV[6] ~= '' then redis.call('ZADD', KEYS[7], id, ARGV[6]) end
redis.call('HSET', KEYS[8], ARGV[2], id)
return {late and 'late' or 'ok', id}
`;

/**
 * Schedules a cleanup that another hooks had scheduled, once.
 *
 * KEYS and ARGV of SCHEDULE_CLEANUP, then KEYS imported · ARGV its name among the imported
 * Returns `known`, or what SCHEDULE_CLEANUP returns
 */
export const IMPORT_CLEANUP = `
if redis.call('HEXISTS', KEYS[6], ARGV[13]) == 1 then return 'known' end
local function schedule()
${SCHEDULE_CLEANUP}
end
local scheduled = schedule()
if scheduled ~= 'lost' then redis.call('HSET', KEYS[6], ARGV[13], scheduled) end
return scheduled
`;
