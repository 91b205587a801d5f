import { defineScript, replies } from '@cds/redis';
import { readTaken } from './read-pending-execution';
import { KEY_TYPES } from '../key-types.lua';
import { TRIM_HISTORY } from '../trim-history.lua';
import { WAITING_SINCE } from '../waiting-since.lua';
import { BEGUN } from './begun.lua';
import { TAKE_KEYS, takeNext } from './take-pending.lua';

/**
 * Moves the oldest pending execution to the history, or to the dead letters when it failed for
 * good; takes the next one in the same round trip, if asked to. Releases the lock where there is
 * none.
 *
 * Returns {`ok`, dead letters dropped, what TAKE_PENDING returns} | {`lost`} | {`gone`}, as
 * SAVE_STATE; safe to repeat, also when a dead letter was sent again and is the oldest once more
 */
export const FINISH_EXECUTION = defineScript({
  name: 'cdsbbFinishExecution',
  keys: [...TAKE_KEYS, 'owner', 'done', 'failed', 'dead'],
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
${TRIM_HISTORY}
${WAITING_SINCE}
${BEGUN}
${KEY_TYPES}
${takeNext(K)}
local owner = redis.call('GET', ${K.owner})
if owner and owner ~= ${A.lockToken} then return {'lost'} end
if redis.call('LINDEX', ${K.waiting}, 0) ~= ${A.id} then return {'gone'} end
local state = redis.call('HGET', ${K.states}, ${A.id})
local readable, decoded = pcall(cjson.decode, state or '')
if readable and type(decoded) == 'table' and (tonumber(decoded.retries) or 0) > tonumber(${A.retries}) then return {'gone'} end
if not owner then
  if (state or '') ~= ${A.before} then return {'lost'} end
  redis.call('SET', ${K.owner}, ${A.lockToken})
end
-- Before anything is written: an execution that is in no list would be lost.
local wrong = wrongTypeOf({${A.isFailed} == '1' and ${K.dead} or ${K.done}, 'zset', ${K.executions}, 'hash', ${K.task}, 'hash'})
if wrong then return wrong end
-- First, since it frees memory: a Redis that is out of it takes whatever follows.
redis.call('LPOP', ${K.waiting})
-- A counter that is no number keeps nothing that has ended from being noted.
redis.pcall('DECR', ${K.waitingTotal})
writeBegun(${K.task}, ${A.id}, ${A.lockToken}, 0)
redis.call('HSET', ${K.states}, ${A.id}, ${A.state})
local dropped = 0
if ${A.isFailed} == '1' then
  redis.call('ZADD', ${K.dead}, ${A.id}, ${A.id})
  redis.call('ZADD', ${K.failed}, ${A.id}, ${A.uuid} .. '/' .. ${A.id})
  dropped = trimHistory(${A.uuid}, ${K.dead}, ${K.executions}, ${K.states}, ${K.failed}, tonumber(${A.deadLetters}))
else
  redis.call('ZADD', ${K.done}, ${A.id}, ${A.id})
  trimHistory(${A.uuid}, ${K.done}, ${K.executions}, ${K.states}, ${K.failed}, tonumber(${A.history}))
end
pendingRemoved(${A.uuid}, ${K.waiting}, ${K.states}, ${K.waitingSince}, ${K.stoppedWaitingSince})
if redis.call('LLEN', ${K.waiting}) == 0 then redis.call('SREM', ${K.pending}, ${A.uuid}) end
if ${A.job} == '' then return {'ok', dropped} end
local taken = takeNext(${A.uuid}, ${A.job}, ${A.lockToken})
if taken[1] == 'empty' then redis.call('DEL', ${K.owner}) end
return {'ok', dropped, taken}
`,
});
