import { defineScript, replies } from '@cds/redis';
import { CLEANUP_SETS } from '../cleanups/cleanup-functions.lua';
import { pendingFunctions } from '../pending.lua';
import { queueWaiting } from '../tasks/task-scripts.lua';

/**
 * Renames the keys of a hook that hold another type of value, so that the hook works without them.
 * Rebuilds the list of pending executions from those that have not ended.
 *
 * Returns for each key the type of a renamed one, or ""
 */
export const SET_ASIDE = defineScript({
  name: 'cdsbbSetAside',
  keys: [
    ...(['waiting', 'executions', 'states', 'done', 'dead', 'task'] as const),
    ...(['pending', 'stopped', 'waitingSince', 'stoppedWaitingSince'] as const),
  ],
  args: ['uuid'],
  each: ['key', 'aside', 'type'],
  reply: replies.listOf(replies.text),
  lua: (K, A, EACH) => `
${pendingFunctions(K)}
${queueWaiting(K)}
local renamed = {}
local isListLost = false
for i = ${EACH.range} do
  local is = redis.call('TYPE', ${EACH.key}).ok
  local isWrong = is ~= 'none' and is ~= ${EACH.type}
  if isWrong then redis.call('RENAME', ${EACH.key}, ${EACH.aside}) end
  if isWrong and ${EACH.key} == ${K.waiting} then isListLost = true end
  renamed[#renamed + 1] = isWrong and is or ''
end
if not isListLost then return renamed end
noPending(${A.uuid})
local ids = {}
for _, field in ipairs(redis.call('HKEYS', ${K.executions})) do
  if string.match(field, '^%d+$') and not redis.call('ZSCORE', ${K.done}, field)
    and not redis.call('ZSCORE', ${K.dead}, field) then ids[#ids + 1] = field end
end
table.sort(ids, function(a, b) return tonumber(a) < tonumber(b) end)
for _, id in ipairs(ids) do redis.call('RPUSH', ${K.waiting}, id) end
local isStopped = redis.call('HGET', ${K.task}, 'stopped') == '1'
queueWaiting(${A.uuid}, isStopped, ${K.waiting}, ${K.states})
return renamed
`,
});

/**
 * Renames the record of a cleanup that is no hash.
 *
 * Returns its type, or "" when there is nothing to do
 */
export const SET_CLEANUP_ASIDE = defineScript({
  name: 'cdsbbSetCleanupAside',
  keys: [...CLEANUP_SETS, 'record'],
  args: ['id', 'aside'],
  reply: replies.text,
  lua: (K, A) => `
local is = redis.call('TYPE', ${K.record}).ok
if is == 'none' or is == 'hash' then return '' end
redis.call('RENAME', ${K.record}, ${A.aside})
for _, set in ipairs({${K.cleanups}, ${K.stoppedCleanups}, ${K.failedCleanups}}) do
  redis.call('ZREM', set, ${A.id})
end
return is
`,
});
