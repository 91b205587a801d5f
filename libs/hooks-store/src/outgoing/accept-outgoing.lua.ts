import { defineScript, replies } from '@cds/redis';
import { COUNT_KIND } from '../tasks/task-scripts.lua';
import { KEY_TYPES } from '../key-types.lua';
import { pendingFunctions, QUEUE_KEYS } from '../pending.lua';

/** Runs of one hook that are known as duplicates. */
const REMEMBERED = 1_000;

/**
 * Stores the run of an outgoing hook and its task: everything or nothing, and each run once.
 *
 * Returns {`accepted` | `known`, id of the execution, 1 when the task is stopped}
 */
export const ACCEPT_OUTGOING = defineScript({
  name: 'cdsbbAcceptOutgoing',
  keys: [...QUEUE_KEYS, 'task', 'tasks', 'kinds', 'executions', 'seen', 'outgoing'],
  args: ['uuid', 'type', 'config', 'now', 'run', 'execution'],
  reply: replies.variants({
    accepted: { id: replies.text, stopped: replies.flag },
    known: { id: replies.text, stopped: replies.flag },
  }),
  lua: (K, A) => `
${KEY_TYPES}
${pendingFunctions(K)}
${COUNT_KIND}
local task = redis.call('HMGET', ${K.task}, 'type', 'stopped', 'last_id')
local stopped = task[2] == '1' and 1 or 0
local first = redis.call('ZSCORE', ${K.seen}, ${A.run})
if task[1] and first then return {'known', string.format('%.0f', first), stopped} end

local heads = stopped == 1 and ${K.stoppedWaitingSince} or ${K.waitingSince}
local wrong = wrongTypeOf({
  ${K.tasks}, 'set', ${K.kinds}, 'hash', ${K.executions}, 'hash', ${K.waiting}, 'list',
  ${K.pending}, 'set', ${K.outgoing}, 'zset', heads, 'zset',
})
if wrong then return wrong end
-- The first write, since it fails where the counter is no number.
redis.call('INCR', ${K.waitingTotal})
local id = nextId(tonumber(${A.now}) * 1000, task[3])
redis.call('HSET', ${K.task}, 'type', ${A.type}, 'method', '', 'config', ${A.config},
  'updated_at', ${A.now}, 'last_id', id)
redis.call('HSETNX', ${K.task}, 'stopped', '0')
countKind(${K.kinds}, task[1], ${A.type}, redis.call('SADD', ${K.tasks}, ${A.uuid}) == 1)
redis.call('ZADD', ${K.outgoing}, ${A.now}, ${A.uuid})
redis.call('HSET', ${K.executions}, id, '{"timestamp":' .. id .. '000,' .. ${A.execution})
append(${A.uuid}, ${K.waiting}, id, msOf(id), stopped == 1)
redis.call('ZADD', ${K.seen}, id, ${A.run})
redis.call('ZREMRANGEBYRANK', ${K.seen}, 0, -${REMEMBERED + 1})
return {'accepted', id, stopped}
`,
});
