import { defineScript, type LuaNames, replies } from '@cds/redis';
import { CLEANUP_SETS, forgetCleanup, REMOVAL_MARKS } from './cleanup-functions.lua';

/** Restored branches that are remembered. */
const MAX_RESTORED = 10_000;

export const SCHEDULE_KEYS = [...CLEANUP_SETS, 'owner', 'broughtBack'] as const;
const PREFIX_ARGS = ['recordPrefix', 'hookCleanupsPrefix'] as const;
const WHERE_ARGS = ['project', 'workflow', 'repository', 'branch', 'hook', 'id'] as const;
const DELETION_ARGS = ['due', 'accepted', 'requestId', 'lockToken'] as const;
export const SCHEDULE_ARGS = [...PREFIX_ARGS, ...WHERE_ARGS, ...DELETION_ARGS] as const;
const BRANCH_ARGS = [...PREFIX_ARGS, 'id', 'hook', 'branch'] as const;

/**
 * Schedules the cleanup of a branch for the hook lock's holder, or again for a later deletion.
 *
 * Returns `ok` | `lost` | `back` when a push after this deletion was removed unprocessed
 *
 * Replaces the cleanup that the hook scheduled for the branch under an earlier name of the
 * workflow. A cleanup that the API is to be called for again keeps its earlier time.
 */
export const scheduleCleanup = (
  K: LuaNames<(typeof SCHEDULE_KEYS)[number]>,
  A: LuaNames<(typeof SCHEDULE_ARGS)[number]>,
) => `
${forgetCleanup(K, A)}
${REMOVAL_MARKS}
local owner = redis.call('GET', ${K.owner})
if owner and owner ~= ${A.lockToken} then return 'lost' end
local back = redis.call('ZSCORE', ${K.broughtBack}, ${A.id})
if back and tonumber(back) > tonumber(${A.accepted}) then return 'back' end
if back then redis.call('ZREM', ${K.broughtBack}, ${A.id}) end
local id, record = ${A.id}, ${A.recordPrefix} .. ${A.id}
local byHook = ${A.hookCleanupsPrefix} .. ${A.hook}
local before = redis.call('HGET', byHook, ${A.branch})
if before and before ~= id then forget(before) end
local old = redis.call('HMGET', record, 'accepted', 'hook', 'branch')
if old[1] and tonumber(old[1]) > tonumber(${A.accepted}) then return 'ok' end
local byOther = old[2] and old[2] ~= ${A.hook} and ${A.hookCleanupsPrefix} .. old[2]
if byOther and redis.call('HGET', byOther, old[3]) == id then
  redis.call('HDEL', byOther, old[3])
end
redis.call('HSET', record, 'status', 'waiting', 'due', ${A.due}, 'accepted', ${A.accepted},
  'hook', ${A.hook}, 'project', ${A.project}, 'workflow', ${A.workflow},
  'repository', ${A.repository}, 'branch', ${A.branch}, 'nb_errors', '0', 'last_error', '',
  'retry_at', '0', 'outages', '0', 'processed', '0', 'request_id', ${A.requestId})
redis.call('ZREM', ${K.stoppedCleanups}, id)
redis.call('ZREM', ${K.failedCleanups}, id)
redis.call('ZADD', ${K.cleanups}, isUnsure(record) and 'LT' or 'CH', ${A.due}, id)
redis.call('HSET', byHook, ${A.branch}, id)
return 'ok'
`;

export const SCHEDULE_CLEANUP = defineScript({
  name: 'cdsbbScheduleCleanup',
  keys: SCHEDULE_KEYS,
  args: SCHEDULE_ARGS,
  reply: replies.oneOf('ok', 'lost', 'back'),
  lua: scheduleCleanup,
});

/**
 * Cancels the cleanups of a branch that is back: by project, workflow and branch, and the one that
 * this hook scheduled under any name of its workflow.
 *
 * Returns {`none`} | {`cancelled`, request id of the deletion or ""} | {`lost`} | {`busy`, hook}
 * while the holder of another hook calls the API | {`unsure`, id} when the API may still remove the
 * runs
 *
 * A mark is void when its holder lost the hook, or when it is of this hook, of which the caller is
 * the only holder.
 */
export const CANCEL_CLEANUP = defineScript({
  name: 'cdsbbCancelCleanup',
  keys: [...CLEANUP_SETS, 'owner'],
  args: [...BRANCH_ARGS, 'lockToken', 'ownerPrefix'],
  reply: replies.variants({
    none: {},
    lost: {},
    cancelled: { requestId: replies.text },
    busy: { hook: replies.text },
    unsure: { id: replies.text },
  }),
  lua: (K, A) => `
${forgetCleanup(K, A)}
${REMOVAL_MARKS}
local owner = redis.call('GET', ${K.owner})
if owner and owner ~= ${A.lockToken} then return {'lost'} end
local found, request = {}, ''
local byHook = redis.call('HGET', ${A.hookCleanupsPrefix} .. ${A.hook}, ${A.branch})
for _, id in ipairs({${A.id}, byHook or ${A.id}}) do
  if redis.call('EXISTS', ${A.recordPrefix} .. id) == 1 then
    local record = redis.call('HMGET', ${A.recordPrefix} .. id, 'under_way', 'request_id')
    local hook, holder = string.match(record[1] or '', '^(%S+) (.+)$')
    if hook and hook ~= ${A.hook} and redis.call('GET', ${A.ownerPrefix} .. hook) == holder then
      return {'busy', hook}
    end
    if isUnsure(${A.recordPrefix} .. id) then return {'unsure', id} end
    found[#found + 1] = id
    request = record[2] or request
  end
end
for _, id in ipairs(found) do forget(id) end
if #found == 0 then return {'none'} end
return {'cancelled', request}
`,
});

/**
 * Cancels the cleanups of a branch whose push is about to be removed unprocessed: the one of that
 * id and the one that the hook scheduled, unless its deletion came after the push or the API is to
 * be called for it again. Remembers the push: earlier deletions may wait at any hook.
 *
 * Returns how many
 *
 * A Redis that is out of memory takes whatever follows a first write that frees memory.
 */
export const CANCEL_BEFORE_PUSH = defineScript({
  name: 'cdsbbCancelBeforePush',
  keys: [...CLEANUP_SETS, 'broughtBack'],
  args: [...BRANCH_ARGS, 'push'],
  reply: replies.number,
  lua: (K, A) => `
${forgetCleanup(K, A)}
${REMOVAL_MARKS}
redis.call('ZREMRANGEBYRANK', ${K.broughtBack}, 0, -${MAX_RESTORED})
redis.call('ZADD', ${K.broughtBack}, 'GT', ${A.push}, ${A.id})
local cancelled = 0
local byHook = redis.call('HGET', ${A.hookCleanupsPrefix} .. ${A.hook}, ${A.branch})
for _, id in ipairs({${A.id}, byHook or ${A.id}}) do
  local record = ${A.recordPrefix} .. id
  local accepted = redis.call('HGET', record, 'accepted')
  local isBefore = accepted and (tonumber(accepted) or 0) <= tonumber(${A.push})
  if isBefore and not isUnsure(record) then
    forget(id)
    cancelled = cancelled + 1
  end
end
return cancelled
`,
});

/** Moves a cleanup to the time of a later deletion that is still pending. */
export const POSTPONE_CLEANUP = defineScript({
  name: 'cdsbbPostponeCleanup',
  keys: ['cleanups', 'record', 'owner'],
  args: ['id', 'lockToken', 'accepted', 'due'],
  reply: replies.oneOf('ok', 'lost', 'changed'),
  lua: (K, A) => `
local owner = redis.call('GET', ${K.owner})
if owner and owner ~= ${A.lockToken} then return 'lost' end
local record = redis.call('HMGET', ${K.record}, 'accepted', 'status')
if record[1] ~= ${A.accepted} or record[2] ~= 'waiting' then return 'changed' end
redis.call('HSET', ${K.record}, 'due', ${A.due})
redis.call('ZADD', ${K.cleanups}, ${A.due}, ${A.id})
return 'ok'
`,
});
