import { defineScript, replies } from '@cds/redis';
import { HISTORY_KEYS } from '../trim-history.lua';
import { QUEUE_KEYS } from '../waiting-since.lua';
import { FORGET_FAILED } from '../dead-letters.lua';

/**
 * Removes all executions of a task: the history, the dead letters and the pending ones.
 *
 * Returns `ok` | `more` when a repository webhook has new deliveries: one may bring a branch back
 *
 * A Redis that is out of memory takes whatever follows a first write that frees memory.
 */
export const DELETE_EXECUTIONS = defineScript({
  name: 'cdsbbDeleteExecutions',
  keys: [...QUEUE_KEYS, ...HISTORY_KEYS, 'dead', 'task'],
  args: ['uuid', 'lastSeen'],
  reply: replies.oneOf('ok', 'more'),
  lua: (K, A) => `
${FORGET_FAILED}
local last = redis.call('LINDEX', ${K.waiting}, -1)
if last and last ~= ${A.lastSeen} and redis.call('HGET', ${K.task}, 'type') == 'RepoWebHook' then return 'more' end
local waiting = redis.call('LLEN', ${K.waiting})
redis.call('SREM', ${K.pending}, ${A.uuid})
redis.call('ZREM', ${K.waitingSince}, ${A.uuid})
redis.call('ZREM', ${K.stoppedWaitingSince}, ${A.uuid})
if waiting > 0 then redis.call('DECRBY', ${K.waitingTotal}, waiting) end
forgetFailed(${A.uuid}, ${K.done}, ${K.failed})
forgetFailed(${A.uuid}, ${K.dead}, ${K.failed})
redis.call('UNLINK', ${K.executions}, ${K.states}, ${K.waiting}, ${K.done}, ${K.dead})
return 'ok'
`,
});
