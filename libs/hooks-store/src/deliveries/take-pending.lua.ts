import { defineScript, type LuaNames } from '@cds/redis';
import { readTaken } from './read-pending-execution';
import { QUEUE_KEYS, WAITING_SINCE } from '../waiting-since.lua';
import { BEGUN } from './begun.lua';

/** The keys that {@link takeNext} needs. */
export const TAKE_KEYS = [
  ...QUEUE_KEYS,
  'task',
  'executions',
  'states',
  'apiWaiters',
  'cleanups',
  'stoppedCleanups',
  'failedCleanups',
  'lostTotal',
] as const;

/**
 * Lua function: reads the oldest pending execution for the lock's holder and counts it as begun; it
 * stays in the list until it is finished. An id without an execution is counted as lost, which
 * every replica logs. Needs WAITING_SINCE and BEGUN. Returns what TAKE_PENDING returns.
 */
export const takeNext = (K: LuaNames<(typeof TAKE_KEYS)[number]>) => `
local function takeNext(uuid, job, holder)
  redis.call('ZREM', ${K.apiWaiters}, job)
  local task = redis.call('HMGET', ${K.task}, 'type', 'config', 'stopped')
  if not task[1] then
    redis.call('SREM', ${K.pending}, uuid)
    redis.call('ZREM', ${K.waitingSince}, uuid)
    redis.call('ZREM', ${K.stoppedWaitingSince}, uuid)
    return {'gone'}
  end
  if task[3] == '1' then return {'stopped'} end
  while true do
    local id = redis.call('LINDEX', ${K.waiting}, 0)
    if not id then
      redis.call('SREM', ${K.pending}, uuid)
      return {'empty'}
    end
    local execution = redis.call('HMGET', ${K.executions}, id, id .. ':body')
    if execution[1] then
      local cleanups = redis.call('ZCARD', ${K.cleanups}) + redis.call('ZCARD', ${K.stoppedCleanups})
        + redis.call('ZCARD', ${K.failedCleanups})
      return {'work', task[1], task[2], id, execution[1], execution[2] or '',
        redis.call('HGET', ${K.states}, id) or '', cleanups, begin(${K.task}, id, holder)}
    end
    -- Accepted, and not there any more.
    redis.call('LPOP', ${K.waiting})
    redis.call('DECR', ${K.waitingTotal})
    redis.call('INCR', ${K.lostTotal})
    pendingRemoved(uuid, ${K.waiting}, ${K.states}, ${K.waitingSince}, ${K.stoppedWaitingSince})
  end
end
`;

/**
 * Peeks at the oldest pending execution; it stays in the list until it is finished.
 *
 * Returns {`lost`} when another process holds the lock | {`gone`} | {`stopped`} | {`empty`} |
 * {`work`, type, config, id, execution, its body or "", state or "", number of all cleanups, how
 * often others began it without an end}
 */
export const TAKE_PENDING = defineScript({
  name: 'cdsbbTakePending',
  keys: [...TAKE_KEYS, 'owner'],
  args: ['lockToken', 'uuid', 'job'],
  reply: readTaken,
  lua: (K, A) => `
${WAITING_SINCE}
${BEGUN}
${takeNext(K)}
local owner = redis.call('GET', ${K.owner})
if owner and owner ~= ${A.lockToken} then return {'lost'} end
if not owner then redis.call('SET', ${K.owner}, ${A.lockToken}) end
return takeNext(${A.uuid}, ${A.job}, ${A.lockToken})
`,
});
