import { defineScript, type LuaNames, replies } from '@cds/redis';
import { pendingFunctions, QUEUE_KEYS } from '../pending.lua';
import { HISTORY_KEYS, trimHistory } from '../trim-history.lua';

/** Ends a pending execution anywhere in the list. A finished one stays as it is. */
export const STOP_EXECUTION = defineScript({
  name: 'cdsbbStopExecution',
  keys: [...QUEUE_KEYS, ...HISTORY_KEYS],
  args: ['uuid', 'id', 'state', 'history'],
  reply: replies.oneOf('unknown', 'done', 'ok'),
  lua: (K, A) => `
${trimHistory(K)}
${pendingFunctions(K)}
if redis.call('HEXISTS', ${K.executions}, ${A.id}) == 0 then return 'unknown' end
if redis.call('LREM', ${K.waiting}, 1, ${A.id}) == 0 then return 'done' end
redis.call('DECR', ${K.waitingTotal})
redis.call('HSET', ${K.states}, ${A.id}, ${A.state})
redis.call('ZADD', ${K.done}, ${A.id}, ${A.id})
trimHistory(${A.uuid}, ${K.done}, ${A.history})
pendingRemoved(${A.uuid}, ${K.waiting}, ${K.states})
return 'ok'
`,
});

export const EXECUTION_KEYS = [...QUEUE_KEYS, ...HISTORY_KEYS, 'dead'] as const;

/**
 * Lua function: removes all executions of a hook, `waiting` of which are pending. A Redis that is
 * out of memory takes whatever follows a first write that frees memory. Needs `pendingFunctions`.
 */
export const removeExecutions = (K: LuaNames<(typeof EXECUTION_KEYS)[number]>) => `
local function removeExecutions(uuid, waiting)
  noPending(uuid)
  if waiting > 0 then redis.call('DECRBY', ${K.waitingTotal}, waiting) end
  for _, id in ipairs(redis.call('ZRANGE', ${K.dead}, 0, -1)) do
    redis.call('ZREM', ${K.failed}, uuid .. '/' .. id)
  end
  redis.call('UNLINK', ${K.executions}, ${K.states}, ${K.waiting}, ${K.done}, ${K.dead})
end
`;

/**
 * Removes all executions of a task: the history, the dead letters and the pending ones.
 *
 * Returns `ok` | `more` when a repository webhook has new deliveries: one may bring a branch back
 */
export const DELETE_EXECUTIONS = defineScript({
  name: 'cdsbbDeleteExecutions',
  keys: [...EXECUTION_KEYS, 'task'],
  args: ['uuid', 'lastSeen'],
  reply: replies.oneOf('ok', 'more'),
  lua: (K, A) => `
${pendingFunctions(K)}
${removeExecutions(K)}
local last = redis.call('LINDEX', ${K.waiting}, -1)
if last and last ~= ${A.lastSeen} and redis.call('HGET', ${K.task}, 'type') == 'RepoWebHook' then
  return 'more'
end
removeExecutions(${A.uuid}, redis.call('LLEN', ${K.waiting}))
return 'ok'
`,
});
