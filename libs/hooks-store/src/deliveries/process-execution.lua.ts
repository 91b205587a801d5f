import { defineScript, type LuaNames, replies } from '@cds/redis';
import { KEY_TYPES } from '../key-types.lua';
import { pendingFunctions, QUEUE_KEYS } from '../pending.lua';
import { trimHistory } from '../trim-history.lua';
import { BEGUN } from './begun.lua';
import { readTaken } from './read-pending-execution';

const TAKE_KEYS = [
  ...QUEUE_KEYS,
  'task',
  'executions',
  'states',
  'apiWaiters',
  'cleanups',
  'stoppedCleanups',
  'failedCleanups',
  'lostTotal',
  'owner',
] as const;

/**
 * Lua function: reads the oldest pending execution for the lock's holder and counts it as begun; it
 * stays in the list until it is finished. An id without an execution is counted as lost, which
 * every replica logs. Needs `pendingFunctions` and BEGUN. Returns what TAKE_PENDING returns.
 */
const takeNext = (K: LuaNames<(typeof TAKE_KEYS)[number]>) => `
local function takeNext(uuid, job, holder)
  redis.call('ZREM', ${K.apiWaiters}, job)
  local task = redis.call('HMGET', ${K.task}, 'type', 'config', 'stopped')
  if not task[1] then
    noPending(uuid)
    return {'gone'}
  end
  if task[3] == '1' then return {'stopped'} end
  while true do
    local id = redis.call('LINDEX', ${K.waiting}, 0)
    if not id then
      noPending(uuid)
      return {'empty'}
    end
    local execution = redis.call('HMGET', ${K.executions}, id, id .. ':body')
    if execution[1] then
      local cleanups = redis.call('ZCARD', ${K.cleanups})
        + redis.call('ZCARD', ${K.stoppedCleanups}) + redis.call('ZCARD', ${K.failedCleanups})
      return {'work', task[1], task[2], id, execution[1], execution[2] or '',
        redis.call('HGET', ${K.states}, id) or '', cleanups, begin(${K.task}, id, holder)}
    end
    -- Accepted, and not there any more.
    redis.call('LPOP', ${K.waiting})
    redis.call('DECR', ${K.waitingTotal})
    redis.call('INCR', ${K.lostTotal})
    pendingRemoved(uuid, ${K.waiting}, ${K.states})
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
  keys: TAKE_KEYS,
  args: ['lockToken', 'uuid', 'job'],
  reply: readTaken,
  lua: (K, A) => `
${pendingFunctions(K)}
${BEGUN}
${takeNext(K)}
local owner = redis.call('GET', ${K.owner})
if owner and owner ~= ${A.lockToken} then return {'lost'} end
if not owner then redis.call('SET', ${K.owner}, ${A.lockToken}) end
return takeNext(${A.uuid}, ${A.job}, ${A.lockToken})
`,
});

/**
 * Moves the oldest pending execution behind the others. It has still waited longest, so the
 * waiting-since time stays.
 *
 * Returns `ok` | `only` when nothing else waits | `lost` when the lock is another's, or another
 * execution is the oldest
 */
export const REQUEUE_AT_TAIL = defineScript({
  name: 'cdsbbRequeueAtTail',
  keys: ['waiting', 'owner'],
  args: ['lockToken', 'id'],
  reply: replies.oneOf('ok', 'only', 'lost'),
  lua: (K, A) => `
if redis.call('GET', ${K.owner}) ~= ${A.lockToken} then return 'lost' end
if redis.call('LINDEX', ${K.waiting}, 0) ~= ${A.id} then return 'lost' end
if redis.call('LLEN', ${K.waiting}) == 1 then return 'only' end
redis.call('RPUSH', ${K.waiting}, redis.call('LPOP', ${K.waiting}))
return 'ok'
`,
});

/**
 * Saves the progress of the oldest pending execution.
 *
 * Returns `ok` | `lost`: another process holds the lock | `gone`: no longer pending | `stopped`:
 * saved, but the task is stopped
 *
 * A free lock is taken again if the state is as this holder left it: Redis may have lost the lock
 * in a restart. Otherwise another process has processed the hook meanwhile.
 */
export const SAVE_STATE = defineScript({
  name: 'cdsbbSaveState',
  keys: ['task', 'waiting', 'states', 'owner'],
  args: ['lockToken', 'id', 'state', 'before', 'begun'],
  reply: replies.oneOf('ok', 'lost', 'gone', 'stopped'),
  lua: (K, A) => `
${BEGUN}
local owner = redis.call('GET', ${K.owner})
if owner and owner ~= ${A.lockToken} then return 'lost' end
if redis.call('LINDEX', ${K.waiting}, 0) ~= ${A.id} then return 'gone' end
if not owner then
  local state = redis.call('HGET', ${K.states}, ${A.id}) or ''
  if state ~= ${A.before} and state ~= ${A.state} then return 'lost' end
  redis.call('SET', ${K.owner}, ${A.lockToken})
end
redis.call('HSET', ${K.states}, ${A.id}, ${A.state})
writeBegun(${K.task}, ${A.id}, ${A.lockToken}, tonumber(${A.begun}))
if redis.call('HGET', ${K.task}, 'stopped') == '1' then return 'stopped' end
return 'ok'
`,
});

/**
 * Moves the oldest pending execution to the history, or to the dead letters when it failed for
 * good; takes the next one in the same round trip, if asked to, or releases the lock without one.
 *
 * Returns {`ok`, dead letters dropped, what TAKE_PENDING returns} | {`lost`} | {`gone`}, as
 * SAVE_STATE; safe to repeat, also when a dead letter was sent again and is the oldest once more
 */
export const FINISH_EXECUTION = defineScript({
  name: 'cdsbbFinishExecution',
  keys: [...TAKE_KEYS, 'done', 'failed', 'dead'],
  args: [
    'lockToken',
    'uuid',
    'id',
    'state',
    'history',
    'isFailed',
    // The state that the holder knows (JSON), or "".
    'before',
    'deadLetters',
    // How often it was sent again, as far as the holder knows.
    'retries',
    // Job to take the next one for, or "".
    'job',
  ],
  reply: replies.variants({
    ok: { dropped: replies.number, taken: replies.optional(readTaken) },
    lost: {},
    gone: {},
  }),
  lua: (K, A) => `
${trimHistory(K)}
${pendingFunctions(K)}
${BEGUN}
${KEY_TYPES}
${takeNext(K)}
local owner = redis.call('GET', ${K.owner})
if owner and owner ~= ${A.lockToken} then return {'lost'} end
if redis.call('LINDEX', ${K.waiting}, 0) ~= ${A.id} then return {'gone'} end
local state = redis.call('HGET', ${K.states}, ${A.id})
local readable, decoded = pcall(cjson.decode, state or '')
local retries = readable and type(decoded) == 'table' and tonumber(decoded.retries) or 0
if retries > tonumber(${A.retries}) then return {'gone'} end
if not owner then
  if (state or '') ~= ${A.before} then return {'lost'} end
  redis.call('SET', ${K.owner}, ${A.lockToken})
end
-- Before anything is written: an execution that is in no list would be lost.
local isFailed = ${A.isFailed} == '1'
local ended = isFailed and ${K.dead} or ${K.done}
local wrong = wrongTypeOf({ended, 'zset', ${K.executions}, 'hash', ${K.task}, 'hash'})
if wrong then return wrong end
-- First, since it frees memory: a Redis that is out of it takes whatever follows.
redis.call('LPOP', ${K.waiting})
-- A counter that is no number keeps nothing that has ended from being noted.
redis.pcall('DECR', ${K.waitingTotal})
writeBegun(${K.task}, ${A.id}, ${A.lockToken}, 0)
redis.call('HSET', ${K.states}, ${A.id}, ${A.state})
redis.call('ZADD', ended, ${A.id}, ${A.id})
if isFailed then redis.call('ZADD', ${K.failed}, ${A.id}, ${A.uuid} .. '/' .. ${A.id}) end
local trimmed = trimHistory(${A.uuid}, ended, isFailed and ${A.deadLetters} or ${A.history})
local dropped = isFailed and trimmed or 0
pendingRemoved(${A.uuid}, ${K.waiting}, ${K.states})
if ${A.job} == '' then return {'ok', dropped} end
local taken = takeNext(${A.uuid}, ${A.job}, ${A.lockToken})
if taken[1] == 'empty' then redis.call('DEL', ${K.owner}) end
return {'ok', dropped, taken}
`,
});
