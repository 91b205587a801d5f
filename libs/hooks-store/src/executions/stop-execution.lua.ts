import { defineScript, replies } from '@cds/redis';
import { HISTORY_KEYS, TRIM_HISTORY } from '../trim-history.lua';
import { QUEUE_KEYS, WAITING_SINCE } from '../waiting-since.lua';

/** Ends a pending execution anywhere in the list. A finished one stays as it is. */
export const STOP_EXECUTION = defineScript({
  name: 'cdsbbStopExecution',
  keys: [...QUEUE_KEYS, ...HISTORY_KEYS],
  args: ['uuid', 'id', 'state', 'history'],
  reply: replies.oneOf('unknown', 'done', 'ok'),
  lua: (K, A) => `
${TRIM_HISTORY}
${WAITING_SINCE}
if redis.call('HEXISTS', ${K.executions}, ${A.id}) == 0 then return 'unknown' end
if redis.call('LREM', ${K.waiting}, 1, ${A.id}) == 0 then return 'done' end
redis.call('DECR', ${K.waitingTotal})
redis.call('HSET', ${K.states}, ${A.id}, ${A.state})
redis.call('ZADD', ${K.done}, ${A.id}, ${A.id})
trimHistory(${A.uuid}, ${K.done}, ${K.executions}, ${K.states}, ${K.failed}, tonumber(${A.history}))
pendingRemoved(${A.uuid}, ${K.waiting}, ${K.states}, ${K.waitingSince}, ${K.stoppedWaitingSince})
if redis.call('LLEN', ${K.waiting}) == 0 then redis.call('SREM', ${K.pending}, ${A.uuid}) end
return 'ok'
`,
});
