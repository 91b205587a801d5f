import { defineScript, type LuaNames, replies } from '@cds/redis';
import { HISTORY_KEYS } from '../trim-history.lua';
import { CLEANUP_SETS, forgetCleanup } from '../cleanups/cleanup-functions.lua';
import { pendingFunctions, QUEUE_KEYS } from '../pending.lua';

/**
 * Puts a dead letter at the end of its hook's list: runs start in the order in which they were
 * accepted or retried. A stopped task stays stopped.
 *
 * Returns `ok` | `unknown` | `not-dead` | `changed` (its state is another by now: read it again)
 */
export const RETRY_EXECUTION = defineScript({
  name: 'cdsbbRetryExecution',
  keys: [...QUEUE_KEYS, ...HISTORY_KEYS, 'dead', 'task'],
  args: ['uuid', 'id', 'before', 'state', 'now'],
  reply: replies.oneOf('ok', 'unknown', 'not-dead', 'changed'),
  lua: (K, A) => `
${pendingFunctions(K)}
local member = ${A.uuid} .. '/' .. ${A.id}
if redis.call('HEXISTS', ${K.executions}, ${A.id}) == 0 then
  redis.call('ZREM', ${K.failed}, member)
  redis.call('ZREM', ${K.dead}, ${A.id})
  return 'unknown'
end
if not redis.call('ZSCORE', ${K.failed}, member) then return 'not-dead' end
if (redis.call('HGET', ${K.states}, ${A.id}) or '') ~= ${A.before} then return 'changed' end
-- The first write, since it fails where the counter is no number.
redis.call('INCR', ${K.waitingTotal})
redis.call('ZREM', ${K.failed}, member)
redis.call('ZREM', ${K.dead}, ${A.id})
redis.call('HSET', ${K.states}, ${A.id}, ${A.state})
local isStopped = redis.call('HGET', ${K.task}, 'stopped') == '1'
append(${A.uuid}, ${K.waiting}, ${A.id}, ${A.now}, isStopped)
return 'ok'
`,
});

/** Removes a dead letter for good. */
export const DROP_EXECUTION = defineScript({
  name: 'cdsbbDropExecution',
  keys: [...HISTORY_KEYS, 'dead'],
  args: ['uuid', 'id'],
  reply: replies.oneOf('ok', 'unknown', 'not-dead'),
  lua: (K, A) => `
local known = redis.call('HEXISTS', ${K.executions}, ${A.id}) == 1
if redis.call('ZREM', ${K.failed}, ${A.uuid} .. '/' .. ${A.id}) == 0 then
  return known and 'not-dead' or 'unknown'
end
redis.call('ZREM', ${K.dead}, ${A.id})
redis.call('HDEL', ${K.executions}, ${A.id}, ${A.id} .. ':body')
redis.call('HDEL', ${K.states}, ${A.id})
return known and 'ok' or 'unknown'
`,
});

/** Lua function: whether a cleanup failed for good, and was not ended by an operator. */
const judgeCleanup = (K: LuaNames<'failedCleanups'>) => `
local function judge(id, record, accepted)
  local known = redis.call('HGET', record, 'accepted')
  if not known or known ~= accepted then return 'unknown' end
  local score = redis.call('ZSCORE', ${K.failedCleanups}, id)
  if not score or tonumber(score) < 0 then return 'not-dead' end
  return 'ok'
end
`;

/** Schedules a failed cleanup again, for its old time. */
export const RETRY_CLEANUP = defineScript({
  name: 'cdsbbRetryCleanup',
  keys: [...CLEANUP_SETS, 'record'],
  args: ['id', 'accepted'],
  reply: replies.oneOf('ok', 'unknown', 'not-dead'),
  lua: (K, A) => `
${judgeCleanup(K)}
local verdict = judge(${A.id}, ${K.record}, ${A.accepted})
if verdict ~= 'ok' then return verdict end
redis.call('HSET', ${K.record}, 'status', 'waiting', 'nb_errors', '0', 'last_error', '',
  'retry_at', '0', 'outages', '0', 'processed', '0')
redis.call('ZREM', ${K.failedCleanups}, ${A.id})
redis.call('ZADD', ${K.cleanups}, redis.call('HGET', ${K.record}, 'due'), ${A.id})
return 'ok'
`,
});

/** Removes a failed cleanup. */
export const DROP_CLEANUP = defineScript({
  name: 'cdsbbDropCleanup',
  keys: [...CLEANUP_SETS, 'record'],
  args: ['id', 'accepted', 'recordPrefix', 'hookCleanupsPrefix'],
  reply: replies.oneOf('ok', 'unknown', 'not-dead'),
  lua: (K, A) => `
${judgeCleanup(K)}
${forgetCleanup(K, A)}
local verdict = judge(${A.id}, ${K.record}, ${A.accepted})
if verdict == 'ok' then forget(${A.id}) end
return verdict
`,
});
