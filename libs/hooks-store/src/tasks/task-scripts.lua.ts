import { defineScript, type LuaNames, replies } from '@cds/redis';
import type { TaskType } from '@cds/wire';
import { EXECUTION_KEYS, removeExecutions } from '../executions/execution-scripts.lua';
import { pendingFunctions, QUEUE_KEYS } from '../pending.lua';
import { WORKFLOW_INDEX_FIELD } from '../redis-keys';

/**
 * Lua function: counts a task of type `new`, whose hash had `old` (false: no hash). `isNew`: the
 * set of tasks did not have it. A task without its hash is in the set, and counted.
 */
export const COUNT_KIND = `
local function countKind(kinds, old, new, isNew)
  if old == new or (not old and not isNew) then return end
  if old then redis.call('HINCRBY', kinds, old, -1) end
  redis.call('HINCRBY', kinds, new, 1)
end
`;

/**
 * Lua function: queues the pending executions of a task, or lists it as waiting where it is
 * stopped. Needs `pendingFunctions`. Otherwise the deliveries of a task that vanished and came back
 * would wait for the next one.
 */
export const queueWaiting = (
  K: LuaNames<'pending' | 'stopped' | 'waitingSince' | 'stoppedWaitingSince'>,
) => `
local function queueWaiting(uuid, isStopped, waiting, states)
  if redis.call('EXISTS', waiting) == 0 then return end
  redis.call('SADD', isStopped and ${K.stopped} or ${K.pending}, uuid)
  local right, wrong = ${K.waitingSince}, ${K.stoppedWaitingSince}
  if isStopped then right, wrong = wrong, right end
  redis.call('ZREM', wrong, uuid)
  redis.call('ZADD', right, 'NX', 0, uuid)
  pendingRemoved(uuid, waiting, states)
end
`;

/**
 * Stores a task, new or changed. Its executions, its duplicates, its signature mark and whether it
 * is stopped stay, also when its hash vanished meanwhile.
 */
export const PUT_TASK = defineScript({
  name: 'cdsbbPutTask',
  keys: [...QUEUE_KEYS, 'task', 'tasks', 'kinds', 'states', 'stopped'],
  args: ['uuid', 'type', 'method', 'config', 'now', 'unlessNewerThan', 'workflowHooks'],
  reply: replies.oneOf('ok', 'newer'),
  lua: (K, A) => `
${pendingFunctions(K)}
${COUNT_KIND}
${queueWaiting(K)}
local old = redis.call('HMGET', ${K.task}, 'type', 'updated_at', '${WORKFLOW_INDEX_FIELD}')
local updated = tonumber(old[2] or '') or 0
if ${A.unlessNewerThan} ~= '' and updated > tonumber(${A.unlessNewerThan}) then return 'newer' end
redis.call('HSET', ${K.task}, 'type', ${A.type}, 'method', ${A.method}, 'config', ${A.config},
  'updated_at', ${A.now})
redis.call('HSETNX', ${K.task}, 'stopped', redis.call('SISMEMBER', ${K.stopped}, ${A.uuid}))
countKind(${K.kinds}, old[1], ${A.type}, redis.call('SADD', ${K.tasks}, ${A.uuid}) == 1)
if old[3] and old[3] ~= '' and old[3] ~= ${A.workflowHooks} then
  redis.call('SREM', old[3], ${A.uuid})
end
redis.call('HSET', ${K.task}, '${WORKFLOW_INDEX_FIELD}', ${A.workflowHooks})
if ${A.workflowHooks} ~= '' then redis.call('SADD', ${A.workflowHooks}, ${A.uuid}) end
queueWaiting(${A.uuid}, redis.call('HGET', ${K.task}, 'stopped') == '1', ${K.waiting}, ${K.states})
return 'ok'
`,
});

/**
 * Removes a task and its executions. Its cleanups stay: their branches are deleted. So does the
 * hook lock, which its holder releases: a removal of runs may be under way.
 *
 * Returns `ok` | `unknown` | `kept` | `more` when there are new deliveries
 *
 * Only deliveries of a repository webhook are checked first: one may bring a branch back. Those of
 * a scheduler were promised to nobody, and one that runs often would always have some. Those of a
 * task without its hash cannot be processed: where nobody asked for the removal, they count as
 * lost.
 */
export const DELETE_TASK = defineScript({
  name: 'cdsbbDeleteTask',
  keys: [
    ...EXECUTION_KEYS,
    'task',
    'tasks',
    'kinds',
    'stopped',
    'seen',
    'polls',
    'pollsFailing',
    'changes',
    'refs',
    'lostTotal',
  ],
  args: ['uuid', 'unlessChangedSince', 'lastSeen'],
  reply: replies.oneOf('ok', 'unknown', 'kept', 'more'),
  lua: (K, A) => `
${pendingFunctions(K)}
${removeExecutions(K)}
local task = redis.call('HMGET', ${K.task}, 'type', 'updated_at', '${WORKFLOW_INDEX_FIELD}')
if not task[1] and redis.call('SISMEMBER', ${K.tasks}, ${A.uuid}) == 0 then return 'unknown' end
local waiting = redis.call('LLEN', ${K.waiting})
local promised = (not task[1] or task[1] == 'Scheduler') and 0 or waiting
if ${A.unlessChangedSince} ~= '' then
  local isChanged = (tonumber(task[2] or '') or 0) > tonumber(${A.unlessChangedSince})
  if promised > 0 or isChanged then return 'kept' end
end
local last = redis.call('LINDEX', ${K.waiting}, -1)
if task[1] == 'RepoWebHook' and last and last ~= ${A.lastSeen} then return 'more' end
redis.call('SREM', ${K.tasks}, ${A.uuid})
redis.call('SREM', ${K.stopped}, ${A.uuid})
redis.call('ZREM', ${K.polls}, ${A.uuid})
redis.call('ZREM', ${K.pollsFailing}, ${A.uuid})
if task[3] and task[3] ~= '' then redis.call('SREM', task[3], ${A.uuid}) end
removeExecutions(${A.uuid}, waiting)
if waiting > 0 and not task[1] and ${A.unlessChangedSince} ~= '' then
  redis.call('INCRBY', ${K.lostTotal}, waiting)
end
if task[1] then redis.call('HINCRBY', ${K.kinds}, task[1], -1) end
redis.call('UNLINK', ${K.task}, ${K.seen}, ${K.changes}, ${K.refs})
return 'ok'
`,
});

/** Counts the tasks of each type anew where the sum is wrong: a task of unknown type vanished. */
export const COUNT_KINDS = defineScript({
  name: 'cdsbbCountKinds',
  keys: ['tasks', 'kinds'],
  args: ['taskPrefix'],
  reply: replies.ignored,
  lua: (K, A) => `
local counted = 0
for _, count in ipairs(redis.call('HVALS', ${K.kinds})) do counted = counted + tonumber(count) end
if counted == redis.call('SCARD', ${K.tasks}) then return end
redis.call('DEL', ${K.kinds})
for _, uuid in ipairs(redis.call('SMEMBERS', ${K.tasks})) do
  local kind = redis.pcall('HGET', ${A.taskPrefix} .. uuid, 'type')
  if type(kind) == 'string' then redis.call('HINCRBY', ${K.kinds}, kind, 1) end
end
`,
});

/**
 * Checks whether tasks exist, and queues their pending executions again.
 *
 * Returns {their pending executions, tasks with a key of another type, uuid of a missing task…}
 */
export const LOOK_FOR_TASKS = defineScript({
  name: 'cdsbbLookForTasks',
  keys: ['pending', 'stopped', 'waitingSince', 'stoppedWaitingSince'],
  args: ['taskPrefix', 'waitingPrefix', 'statePrefix'],
  each: ['uuid'],
  reply: (reply) => {
    const [waiting, unreadable, ...vanished] = reply as [number, number, ...string[]];
    return { waiting, unreadable, vanished };
  },
  lua: (K, A, EACH) => `
${pendingFunctions(K)}
${queueWaiting(K)}
local found = {0, 0}
for i = ${EACH.range} do
  local uuid = ${EACH.uuid}
  local waiting, states = ${A.waitingPrefix} .. uuid, ${A.statePrefix} .. uuid
  local task = redis.pcall('HMGET', ${A.taskPrefix} .. uuid, 'type', 'stopped')
  local length = redis.pcall('LLEN', waiting)
  local head = redis.pcall('HEXISTS', states, '')
  -- A key of another type is repaired when the hook is processed.
  if task.err or type(length) ~= 'number' or type(head) ~= 'number' then
    found[2] = found[2] + 1
  else
    found[1] = found[1] + length
    if not task[1] then
      found[#found + 1] = uuid
    elseif length > 0 and task[2] ~= '1' and redis.call('SISMEMBER', ${K.pending}, uuid) == 0 then
      queueWaiting(uuid, false, waiting, states)
    end
  end
end
return found
`,
});

/** A task as READ_TASKS returns it; without a type there is none. */
export type TaskReply = readonly [
  type: TaskType | null,
  config: string | null,
  stopped: string | null,
  done: number,
  waiting: number,
  dead: number,
  planned: number,
];

/**
 * Reads tasks with their counts in one command: so many would cost more than the rest of a listing.
 *
 * Returns for each uuid {type, config (JSON), stopped, ended executions, pending ones, dead
 * letters, due times}, or WRONGTYPE for a key of another type; without a type there is no such task
 */
export const READ_TASKS = defineScript({
  name: 'cdsbbReadTasks',
  keys: ['due', 'polls'],
  args: ['taskPrefix', 'donePrefix', 'waitingPrefix', 'deadPrefix'],
  each: ['uuid'],
  reply: replies.listOf((reply) => (reply === 'WRONGTYPE' ? undefined : (reply as TaskReply))),
  lua: (K, A, EACH) => `
local read = {}
for i = ${EACH.range} do
  local uuid = ${EACH.uuid}
  local task = redis.pcall('HMGET', ${A.taskPrefix} .. uuid, 'type', 'config', 'stopped')
  local done = redis.pcall('ZCARD', ${A.donePrefix} .. uuid)
  local waiting = redis.pcall('LLEN', ${A.waitingPrefix} .. uuid)
  local dead = redis.pcall('ZCARD', ${A.deadPrefix} .. uuid)
  local planned = redis.call('ZSCORE', ${K.due}, uuid) and 1 or 0
  if redis.call('ZSCORE', ${K.polls}, uuid) then planned = planned + 1 end
  local isRight = not task.err and type(done) == 'number' and type(waiting) == 'number'
    and type(dead) == 'number'
  read[#read + 1] = isRight
    and {task[1], task[2], task[3], done, waiting, dead, planned} or 'WRONGTYPE'
end
return read
`,
});

/** Stops or starts a task. `waiting`: its pending executions. */
export const SET_STOPPED = defineScript({
  name: 'cdsbbSetStopped',
  keys: ['task', 'stopped', 'pending', 'waiting', 'waitingSince', 'stoppedWaitingSince'],
  args: ['uuid', 'isStopped'],
  reply: replies.variants({ unknown: {}, ok: { waiting: replies.number } }),
  lua: (K, A) => `
if redis.call('EXISTS', ${K.task}) == 0 then return {'unknown'} end
local waiting = redis.call('LLEN', ${K.waiting})
redis.call('HSET', ${K.task}, 'stopped', ${A.isStopped})
if ${A.isStopped} == '1' then
  redis.call('SADD', ${K.stopped}, ${A.uuid})
  redis.call('SREM', ${K.pending}, ${A.uuid})
else
  redis.call('SREM', ${K.stopped}, ${A.uuid})
  if waiting > 0 then redis.call('SADD', ${K.pending}, ${A.uuid}) end
end
local from, to = ${K.waitingSince}, ${K.stoppedWaitingSince}
if ${A.isStopped} ~= '1' then from, to = to, from end
local since = redis.call('ZSCORE', from, ${A.uuid})
if since then
  redis.call('ZREM', from, ${A.uuid})
  redis.call('ZADD', to, since, ${A.uuid})
end
return {'ok', waiting}
`,
});
