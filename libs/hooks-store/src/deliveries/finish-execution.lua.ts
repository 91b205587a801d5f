import { DEAD_LETTERS } from '../dead-letters.lua';
import { KEY_TYPES } from '../key-types.lua';
import { TRIM_HISTORY } from '../trim-history.lua';
import { WAITING_HEADS } from '../waiting-heads.lua';
import { BEGUN } from './begun.lua';
import { TAKE_NEXT } from './take-pending.lua';

/**
 * Moves the delivery at the head into the history, or to the dead letters when it failed for good; and takes
 * the next one, where the holder wants it: the same round trip.
 *
 * KEYS waiting, states, owner, done, executions, waiting-total, failed, pending, dead, heads, stopped heads, task,
 *   waiting-for-api, cleanups, stopped cleanups, failed cleanups, lost-total
 * ARGV holder, uuid, id, state (JSON), history to keep, 1 when it failed for good, the state before
 *   (JSON or ""), dead letters to keep, how often it was sent again as far as the holder knows,
 *   job id to take the next one for or ""
 * Returns {`ok`, dead letters dropped, what TAKE_HEAD returns} | {`lost`} | {`gone`}, as SAVE_STATE; safe to repeat, also when what failed was
 *   sent again and is the head once more
 */
export const FINISH_EXECUTION = `
${TRIM_HISTORY}
${DEAD_LETTERS}
${WAITING_HEADS}
${BEGUN}
${KEY_TYPES}
${TAKE_NEXT}
local owner = redis.call('GET', KEYS[3])
if owner and owner ~= ARGV[1] then return {'lost'} end
if redis.call('LINDEX', KEYS[1], 0) ~= ARGV[3] then return {'gone'} end
local state = redis.call('HGET', KEYS[2], ARGV[3])
local readable, decoded = pcall(cjson.decode, state or '')
if readable and type(decoded) == 'table' and (tonumber(decoded.retries) or 0) > tonumber(ARGV[9]) then return {'gone'} end
if not owner then
  if (state or '') ~= ARGV[7] then return {'lost'} end
  redis.call('SET', KEYS[3], ARGV[1])
end
-- Before anything is written: an execution that is in no list would be lost.
local wrong = wrongTypeOf({KEYS[ARGV[6] == '1' and 9 or 4], 'zset', KEYS[5], 'hash', KEYS[12], 'hash'})
if wrong then return wrong end
-- First, since it frees memory: a Redis that is out of it takes whatever follows.
redis.call('LPOP', KEYS[1])
-- A counter that is no number keeps nothing that has ended from being noted.
redis.pcall('DECR', KEYS[6])
writeBegun(KEYS[12], ARGV[3], ARGV[1], 0)
redis.call('HSET', KEYS[2], ARGV[3], ARGV[4])
local dropped = 0
if ARGV[6] == '1' then
  redis.call('ZADD', KEYS[9], ARGV[3], ARGV[3])
  redis.call('ZADD', KEYS[7], ARGV[3], ARGV[2] .. '/' .. ARGV[3])
  dropped = trimDeadLetters(ARGV[2], KEYS[9], KEYS[5], KEYS[2], KEYS[7], tonumber(ARGV[8]))
else
  redis.call('ZADD', KEYS[4], ARGV[3], ARGV[3])
  trimHistory(ARGV[2], KEYS[4], KEYS[5], KEYS[2], KEYS[7], tonumber(ARGV[5]))
end
headMoved(ARGV[2], KEYS[1], KEYS[2], KEYS[10], KEYS[11])
if redis.call('LLEN', KEYS[1]) == 0 then redis.call('SREM', KEYS[8], ARGV[2]) end
if ARGV[10] == '' then return {'ok', dropped} end
return {'ok', dropped, takeNext(ARGV[2], ARGV[10], {
  task = KEYS[12], waiting = KEYS[1], executions = KEYS[5], states = KEYS[2], pending = KEYS[8], waitingTotal = KEYS[6],
  apiWaiters = KEYS[13], cleanups = KEYS[14], stoppedCleanups = KEYS[15], failedCleanups = KEYS[16], heads = KEYS[10],
  stoppedHeads = KEYS[11], lostTotal = KEYS[17],
}, ARGV[1])}
`;
