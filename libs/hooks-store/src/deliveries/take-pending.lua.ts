import { WAITING_HEADS } from '../waiting-heads.lua';
import { BEGUN } from './begun.lua';

/**
 * Lua function: reads the oldest delivery that waits at a hook, for its holder, and counts that it
 * is begun; it stays at the head until it is finished. What is in the list without its execution is
 * counted as lost, which every replica logs. Needs WAITING_HEADS and BEGUN. `keys` holds those that
 * TAKE_HEAD names, and what it returns is what TAKE_HEAD returns.
 */
export const TAKE_NEXT = `
local function takeNext(uuid, job, keys, holder)
  redis.call('ZREM', keys.apiWaiters, job)
  local task = redis.call('HMGET', keys.task, 'type', 'config', 'stopped')
  if not task[1] then
    redis.call('SREM', keys.pending, uuid)
    redis.call('ZREM', keys.heads, uuid)
    redis.call('ZREM', keys.stoppedHeads, uuid)
    return {'gone'}
  end
  if task[3] == '1' then return {'stopped'} end
  while true do
    local id = redis.call('LINDEX', keys.waiting, 0)
    if not id then
      redis.call('SREM', keys.pending, uuid)
      return {'empty'}
    end
    local execution = redis.call('HMGET', keys.executions, id, id .. ':body')
    if execution[1] then
      local cleanups = redis.call('ZCARD', keys.cleanups) + redis.call('ZCARD', keys.stoppedCleanups)
        + redis.call('ZCARD', keys.failedCleanups)
      return {'work', task[1], task[2], id, execution[1], execution[2] or '',
        redis.call('HGET', keys.states, id) or '', cleanups, begin(keys.task, id, holder)}
    end
    -- Accepted, and not there any more.
    redis.call('LPOP', keys.waiting)
    redis.call('DECR', keys.waitingTotal)
    redis.call('INCR', keys.lostTotal)
    headMoved(uuid, keys.waiting, keys.states, keys.heads, keys.stoppedHeads)
  end
end
`;

/**
 * Reads the oldest delivery that waits at a hook; it stays at the head until it is finished.
 *
 * KEYS task, waiting, executions, states, owner, pending, waiting-total, waiting-for-api, cleanups, stopped cleanups,
 *   failed cleanups, heads, stopped heads, lost-total
 * ARGV holder, uuid, job id
 * Returns {`lost`} when another one holds the hook | {`gone`} | {`stopped`} | {`empty`} |
 *   {`work`, type, config, id, execution, its body or "", state or "", number of cleanups, whatever
 *   their state, how often others had begun it and did not come to an end}
 */
export const TAKE_HEAD = `
${WAITING_HEADS}
${BEGUN}
${TAKE_NEXT}
local owner = redis.call('GET', KEYS[5])
if owner and owner ~= ARGV[1] then return {'lost'} end
if not owner then redis.call('SET', KEYS[5], ARGV[1]) end
return takeNext(ARGV[2], ARGV[3], {
  task = KEYS[1], waiting = KEYS[2], executions = KEYS[3], states = KEYS[4], pending = KEYS[6], waitingTotal = KEYS[7],
  apiWaiters = KEYS[8], cleanups = KEYS[9], stoppedCleanups = KEYS[10], failedCleanups = KEYS[11], heads = KEYS[12],
  stoppedHeads = KEYS[13], lostTotal = KEYS[14],
}, ARGV[1])
`;
