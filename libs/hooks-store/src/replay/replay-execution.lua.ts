import { defineScript, replies } from '@cds/redis';
import { pendingFunctions, QUEUE_KEYS } from '../pending.lua';

/** A replay that is asked for again within this time (µs) is the same one. */
export const SAME_REPLAY_US = 60_000_000;

/**
 * Appends a replay of an execution to its hook's list. A second request within a minute returns the
 * first replay: the API asks the next replica when an answer is lost.
 *
 * Returns {`unknown`} | {`waiting`} when the execution is pending | {`ok`, id} | {`again`, id}
 */
export const REPLAY_EXECUTION = defineScript({
  name: 'cdsbbReplayExecution',
  keys: [...QUEUE_KEYS, 'task', 'executions', 'done', 'dead'],
  args: ['uuid', 'id', 'nowUs', 'execution'],
  reply: replies.variants({
    unknown: {},
    waiting: {},
    ok: { id: replies.text },
    again: { id: replies.text },
  }),
  lua: (K, A) => `
${pendingFunctions(K)}
local task = redis.call('HMGET', ${K.task}, 'type', 'stopped', 'last_id', 'last_replay')
if not task[1] or redis.call('HEXISTS', ${K.executions}, ${A.id}) == 0 then return {'unknown'} end
local ended = redis.call('ZSCORE', ${K.done}, ${A.id}) or redis.call('ZSCORE', ${K.dead}, ${A.id})
if not ended then return {'waiting'} end
local before, replay = string.match(task[4] or '', '^(%d+)/(%d+)$')
if before == ${A.id} and math.abs(tonumber(${A.nowUs}) - tonumber(replay)) < ${SAME_REPLAY_US} then
  return {'again', replay}
end

local id = nextId(${A.nowUs}, task[3])
redis.call('HSET', ${K.task}, 'last_id', id, 'last_replay', ${A.id} .. '/' .. id)
redis.call('HSET', ${K.executions}, id, '{"timestamp":' .. id .. '000,' .. ${A.execution})
redis.call('INCR', ${K.waitingTotal})
append(${A.uuid}, ${K.waiting}, id, msOf(id), task[2] == '1')
return {'ok', id}
`,
});
