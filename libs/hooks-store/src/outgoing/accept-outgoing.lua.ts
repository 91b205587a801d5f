import { COUNT_KIND } from '../tasks/task-scripts.lua';
import { KEY_TYPES } from '../key-types.lua';
import { WAITING_HEADS } from '../waiting-heads.lua';

/** Runs of one hook that are known when they are sent again. */
const REMEMBERED = 1_000;

/**
 * Keeps the run of an outgoing hook, its task included: everything or nothing, and each run once.
 *
 * KEYS task, tasks, kinds, executions, waiting, pending, waiting-total, seen, outgoing, heads, stopped heads
 * ARGV uuid, type, config (JSON), now (ms), uuid of the run, the execution's JSON without its opening brace and timestamp
 * Returns {`accepted` | `known`, id of the execution, 1 when the task is stopped}
 *
 * Ids are µs, unique and growing for each task, as those of deliveries.
 */
export const ACCEPT_OUTGOING = `
${KEY_TYPES}
${WAITING_HEADS}
${COUNT_KIND}
local task = redis.call('HMGET', KEYS[1], 'type', 'stopped', 'last_id')
local stopped = task[2] == '1' and 1 or 0
local first = redis.call('ZSCORE', KEYS[8], ARGV[5])
if task[1] and first then return {'known', string.format('%.0f', first), stopped} end

local heads = KEYS[stopped == 1 and 11 or 10]
local wrong = wrongTypeOf({
  KEYS[2], 'set', KEYS[3], 'hash', KEYS[4], 'hash', KEYS[5], 'list', KEYS[6], 'set', KEYS[9], 'zset', heads, 'zset',
})
if wrong then return wrong end
-- The first write, since it fails where the counter is no number.
redis.call('INCR', KEYS[7])
local id = string.format('%.0f', math.max(tonumber(ARGV[4]) * 1000, (tonumber(task[3] or '') or 0) + 1))
redis.call('HSET', KEYS[1], 'type', ARGV[2], 'method', '', 'config', ARGV[3], 'updated_at', ARGV[4], 'last_id', id)
redis.call('HSETNX', KEYS[1], 'stopped', '0')
countKind(KEYS[3], task[1], ARGV[2], redis.call('SADD', KEYS[2], ARGV[1]) == 1)
redis.call('ZADD', KEYS[9], ARGV[4], ARGV[1])
redis.call('HSET', KEYS[4], id, '{"timestamp":' .. id .. '000,' .. ARGV[6])
local length = redis.call('RPUSH', KEYS[5], id)
if stopped == 0 then redis.call('SADD', KEYS[6], ARGV[1]) end
headAdded(ARGV[1], length, msOf(id), heads)
redis.call('ZADD', KEYS[8], id, ARGV[5])
redis.call('ZREMRANGEBYRANK', KEYS[8], 0, -${REMEMBERED + 1})
return {'accepted', id, stopped}
`;
