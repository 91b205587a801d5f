import { TRIM_HISTORY } from '@cds/hooks-store';

/**
 * Takes a delivery in: everything or nothing, in one round trip.
 *
 * KEYS task, executions, waiting, pending, waiting-total, done, states, failed
 * ARGV method of the request; type of hook that the delivery was judged for; verdict (`accept`, `ignore`,
 *   `refuse`); now in µs; uuid; the execution's JSON without its opening brace and what is filled in here; the
 *   state of an ignored one (JSON); history to keep
 * Returns {`unknown`} | {`method`} | {`judge`, type} when it was judged for another type | {`refused`} |
 *   {`accepted`, type, id, deliveries waiting}
 *
 * Ids are µs, unique and growing for each task, whatever the clocks of the replicas say. The configuration goes
 * into the execution as text, since Lua's JSON cannot tell an empty list from an empty object.
 */
export const ACCEPT_DELIVERY = `
${TRIM_HISTORY}
local task = redis.call('HMGET', KEYS[1], 'type', 'method', 'config', 'stopped', 'last_id')
if not task[1] then return {'unknown'} end
if task[2] ~= ARGV[1] then return {'method'} end
if task[1] ~= ARGV[2] then return {'judge', task[1]} end
if ARGV[3] == 'refuse' then return {'refused'} end

local id = string.format('%.0f', math.max(tonumber(ARGV[4]), tonumber(task[5] or '0') + 1))
redis.call('HSET', KEYS[1], 'last_id', id)
redis.call('HSET', KEYS[2], id, '{"timestamp":' .. id .. '000,"type":"' .. task[1] .. '","config":' .. task[3] .. ',' .. ARGV[6])
if ARGV[3] == 'ignore' then
  redis.call('HSET', KEYS[7], id, ARGV[7])
  redis.call('ZADD', KEYS[6], id, id)
  trimHistory(ARGV[5], KEYS[6], KEYS[2], KEYS[7], KEYS[8], tonumber(ARGV[8]))
else
  redis.call('RPUSH', KEYS[3], id)
  redis.call('INCR', KEYS[5])
  if task[4] ~= '1' then redis.call('SADD', KEYS[4], ARGV[5]) end
end
return {'accepted', task[1], id, redis.call('LLEN', KEYS[3])}
`;
