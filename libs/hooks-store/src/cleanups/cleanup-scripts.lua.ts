import { FORGET_CLEANUP } from '../forget-cleanup.lua';

/** Branches that are remembered to be back. */
const MOST_BROUGHT_BACK = 10_000;

/**
 * Lua functions about removals that the API was asked for. `under_way` names hook and holder, and
 * is kept before the call is sent; it goes when the API has answered, or nothing was sent. `unsure`
 * stands for one that somebody else asked for before, and of which nobody knows what became: the
 * API may still be about to do it.
 */
export const REMOVAL_MARKS = `
local function markUnderWay(record, mark)
  local before = redis.call('HGET', record, 'under_way')
  if before and before ~= mark then redis.call('HSET', record, 'unsure', '1') end
  redis.call('HSET', record, 'under_way', mark)
end
local function isUnsure(record)
  local kept = redis.call('HMGET', record, 'status', 'under_way', 'unsure')
  return kept[1] == 'waiting' and (kept[2] or kept[3]) and true or false
end
`;

/**
 * Schedules the cleanup of a branch for the hook's holder, or restarts it from a later deletion.
 *
 * KEYS cleanups, stopped, failed, owner, brought-back · ARGV holder, prefix of records, prefix of the hooks' lists, id,
 *   due (ms), accepted (execution id), hook, project, workflow, repository, branch, id of the request
 * Returns `ok` | `lost` | `back` when a push after this deletion was removed before its turn
 *
 * Where the hook scheduled the branch for another workflow before (it was renamed), that one is
 * replaced. What the API is to be asked again for an earlier deletion does not wait for the new
 * date.
 */
export const SCHEDULE_CLEANUP = `
${FORGET_CLEANUP}
${REMOVAL_MARKS}
local owner = redis.call('GET', KEYS[4])
if owner and owner ~= ARGV[1] then return 'lost' end
local back = redis.call('ZSCORE', KEYS[5], ARGV[4])
if back and tonumber(back) > tonumber(ARGV[6]) then return 'back' end
if back then redis.call('ZREM', KEYS[5], ARGV[4]) end
local id, record, byHook = ARGV[4], ARGV[2] .. ARGV[4], ARGV[3] .. ARGV[7]
local before = redis.call('HGET', byHook, ARGV[11])
if before and before ~= id then forget(before, ARGV[2], ARGV[3]) end
local old = redis.call('HMGET', record, 'accepted', 'hook', 'branch')
if old[1] and tonumber(old[1]) > tonumber(ARGV[6]) then return 'ok' end
if old[2] and old[2] ~= ARGV[7] and redis.call('HGET', ARGV[3] .. old[2], old[3]) == id then
  redis.call('HDEL', ARGV[3] .. old[2], old[3])
end
redis.call('HSET', record, 'status', 'waiting', 'due', ARGV[5], 'accepted', ARGV[6], 'hook', ARGV[7],
  'project', ARGV[8], 'workflow', ARGV[9], 'repository', ARGV[10], 'branch', ARGV[11],
  'nb_errors', '0', 'last_error', '', 'retry_at', '0', 'outages', '0', 'processed', '0', 'request_id', ARGV[12])
redis.call('ZREM', KEYS[2], id)
redis.call('ZREM', KEYS[3], id)
redis.call('ZADD', KEYS[1], isUnsure(record) and 'LT' or 'CH', ARGV[5], id)
redis.call('HSET', byHook, ARGV[11], id)
return 'ok'
`;

/**
 * Cancels what is scheduled for a branch that is back: the cleanup of this project, workflow and
 * branch, also under the id of older versions, and the one that this hook scheduled for the branch,
 * whatever its workflow was called then.
 *
 * KEYS cleanups, stopped, failed, owner · ARGV holder, prefix of records, prefix of the hooks' lists, id, hook, branch,
 *   prefix of owners, id of older versions
 * Returns {`none`} | {`cancelled`, id of the request that scheduled it or ""} | {`lost`} | {`busy`, hook} while another
 *   hook's holder has the API remove the runs | {`unsure`, id} when nobody knows whether the API
 *   still removes them
 *
 * A mark of who is no longer the owner of its hook, or of this hook, of which the caller is the
 * only holder, is of a removal that nobody waits for any more.
 */
export const CANCEL_CLEANUP = `
${FORGET_CLEANUP}
${REMOVAL_MARKS}
local owner = redis.call('GET', KEYS[4])
if owner and owner ~= ARGV[1] then return {'lost'} end
local found, request = {}, ''
local byHook = redis.call('HGET', ARGV[3] .. ARGV[5], ARGV[6])
for _, id in ipairs({ARGV[4], ARGV[8], byHook or ARGV[4]}) do
  if redis.call('EXISTS', ARGV[2] .. id) == 1 then
    local record = redis.call('HMGET', ARGV[2] .. id, 'under_way', 'request_id')
    local hook, holder = string.match(record[1] or '', '^(%S+) (.+)$')
    if hook and hook ~= ARGV[5] and redis.call('GET', ARGV[7] .. hook) == holder then return {'busy', hook} end
    if isUnsure(ARGV[2] .. id) then return {'unsure', id} end
    found[#found + 1] = id
    request = record[2] or request
  end
end
for _, id in ipairs(found) do forget(id, ARGV[2], ARGV[3]) end
if #found == 0 then return {'none'} end
return {'cancelled', request}
`;

/**
 * Cancels what is scheduled for a branch whose push is about to be removed unread: the cleanup of that id and the one
 * that the hook scheduled, unless it is of a deletion after that push, or the API is to be asked
 * again, since nobody knows what it did. Remembers the push, too: deletions from before it may
 * wait, at this hook or another.
 *
 * KEYS cleanups, stopped, failed, brought-back · ARGV prefix of records, prefix of the hooks'
 * lists, id, hook, branch, id of the push, id of
 *   older versions
 * Returns how many
 *
 * A Redis that is out of memory takes whatever follows a first write that frees memory.
 */
export const CANCEL_BEFORE_PUSH = `
${FORGET_CLEANUP}
${REMOVAL_MARKS}
redis.call('ZREMRANGEBYRANK', KEYS[4], 0, -${MOST_BROUGHT_BACK})
redis.call('ZADD', KEYS[4], 'GT', ARGV[6], ARGV[3])
local cancelled = 0
local byHook = redis.call('HGET', ARGV[2] .. ARGV[4], ARGV[5])
for _, id in ipairs({ARGV[3], ARGV[7], byHook or ARGV[3]}) do
  local accepted = redis.call('HGET', ARGV[1] .. id, 'accepted')
  if accepted and (tonumber(accepted) or 0) <= tonumber(ARGV[6]) and not isUnsure(ARGV[1] .. id) then
    forget(id, ARGV[1], ARGV[2])
    cancelled = cancelled + 1
  end
end
return cancelled
`;

/**
 * Moves a cleanup to when a later deletion, which still waits, makes it due.
 *
 * KEYS cleanups, record, owner · ARGV id, holder, accepted, due (ms) · Returns `ok` | `lost` | `changed`
 */
export const POSTPONE_CLEANUP = `
local owner = redis.call('GET', KEYS[3])
if owner and owner ~= ARGV[2] then return 'lost' end
local record = redis.call('HMGET', KEYS[2], 'accepted', 'status')
if record[1] ~= ARGV[3] or record[2] ~= 'waiting' then return 'changed' end
redis.call('HSET', KEYS[2], 'due', ARGV[4])
redis.call('ZADD', KEYS[1], ARGV[4], ARGV[1])
return 'ok'
`;

/**
 * Removes a cleanup. KEYS cleanups, stopped, failed · ARGV id, prefix of records, prefix of the
 * hooks' lists · Returns `unknown` | `ok`
 */
export const REMOVE_CLEANUP = `
${FORGET_CLEANUP}
if redis.call('EXISTS', ARGV[2] .. ARGV[1]) == 0 then return 'unknown' end
forget(ARGV[1], ARGV[2], ARGV[3])
return 'ok'
`;

/**
 * Ends a cleanup whose runs the API has removed. One that is of a later deletion by now, or is not
 * due yet because the API was asked again for an earlier one, goes on waiting for its date.
 *
 * KEYS cleanups, stopped, failed · ARGV id, prefix of records, prefix of the hooks' lists,
 * accepted, now (ms)
 * Returns `unknown` | `waiting` | `ok`
 */
export const FINISH_CLEANUP = `
${FORGET_CLEANUP}
local record = ARGV[2] .. ARGV[1]
local kept = redis.call('HMGET', record, 'accepted', 'due', 'status')
if not kept[1] then return 'unknown' end
local due = tonumber(kept[2]) or 0
if kept[1] ~= ARGV[4] or due > tonumber(ARGV[5]) then
  redis.call('HDEL', record, 'under_way', 'unsure')
  redis.call('HSET', record, 'outages', '0', 'retry_at', '0')
  if kept[3] == 'waiting' then redis.call('ZADD', KEYS[1], string.format('%.0f', due), ARGV[1]) end
  return 'waiting'
end
forget(ARGV[1], ARGV[2], ARGV[3])
return 'ok'
`;

/**
 * Notes that the API was not asked for removals that were begun. KEYS none · ARGV holder, then for
 * each: key of its record, its hook
 */
export const LET_GO_CLEANUPS = `
for i = 2, #ARGV, 2 do
  if redis.call('HGET', ARGV[i], 'under_way') == ARGV[i + 1] .. ' ' .. ARGV[1] then
    redis.call('HDEL', ARGV[i], 'under_way')
  end
end
return 'ok'
`;

/**
 * Lua function: whether a cleanup waits as it was read. Another job may have tried it meanwhile: then it is in a pause, and
 * has more errors.
 */
export const IS_AS_READ = `
local function isAsRead(record, accepted, due, retryAt, outages)
  local kept = redis.call('HMGET', record, 'accepted', 'status', 'due', 'retry_at', 'outages')
  if kept[1] ~= accepted or kept[2] ~= 'waiting' then return false end
  return tonumber(kept[3]) == tonumber(due) and (tonumber(kept[4]) or 0) == tonumber(retryAt)
    and (tonumber(kept[5]) or 0) == tonumber(outages)
end
`;

/**
 * The last look before the API is called; it marks the cleanup as under way.
 *
 * KEYS record, owner · ARGV holder, hook, accepted, due, retry_at and outages as they were read, then for each hook of the workflow: key of its waiting list, id of
 *   the last delivery that was looked at or ""
 * Returns `ok` | `lost` | `changed` (moved, stopped, cancelled, or tried by another) | `more` (deliveries came in meanwhile)
 */
export const BEGIN_CLEANUP = `
${IS_AS_READ}
${REMOVAL_MARKS}
local owner = redis.call('GET', KEYS[2])
if owner and owner ~= ARGV[1] then return 'lost' end
if not isAsRead(KEYS[1], ARGV[3], ARGV[4], ARGV[5], ARGV[6]) then return 'changed' end
for i = 7, #ARGV, 2 do
  local last = redis.call('LINDEX', ARGV[i], -1)
  if last and last ~= ARGV[i + 1] then return 'more' end
end
if not owner then redis.call('SET', KEYS[2], ARGV[1]) end
markUnderWay(KEYS[1], ARGV[2] .. ' ' .. ARGV[1])
return 'ok'
`;

/**
 * Keeps a failure: for another try, or for good.
 *
 * KEYS cleanups, stopped, failed, record · ARGV id, prefix of records, prefix of the hooks' lists, accepted, now (ms),
 *   errors, error, tries without an answer in a row, when to try again (ms) or "" when given up, pause is for a
 *   refusal (1), failures to keep, whether an operator ended it (1): then it is no dead letter, and
 *   the first to go, what is known of the removal that was under way: `answered`, `not sent`,
 *   `unsure`, or "" where none was
 * Returns {`ok`, dead letters dropped} | {`changed`}
 */
export const FAIL_CLEANUP = `
${FORGET_CLEANUP}
local record = redis.call('HMGET', KEYS[4], 'accepted', 'status', 'under_way')
if ARGV[13] == 'unsure' and record[3] then redis.call('HSET', KEYS[4], 'unsure', '1') end
if ARGV[13] == 'answered' then redis.call('HDEL', KEYS[4], 'unsure') end
if ARGV[13] ~= '' then redis.call('HDEL', KEYS[4], 'under_way') end
if record[1] ~= ARGV[4] then return {'changed'} end
redis.call('HSET', KEYS[4], 'nb_errors', ARGV[6], 'last_error', ARGV[7], 'outages', ARGV[8])
if ARGV[9] ~= '' then
  if ARGV[10] == '1' then redis.call('HSET', KEYS[4], 'retry_at', ARGV[9]) end
  if record[2] == 'waiting' then redis.call('ZADD', KEYS[1], ARGV[9], ARGV[1]) end
  return {'ok', 0}
end
redis.call('HSET', KEYS[4], 'status', 'failed', 'processed', ARGV[5])
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZADD', KEYS[3], ARGV[12] == '1' and '-' .. ARGV[5] or ARGV[5], ARGV[1])
local dropped = 0
local excess = math.min(redis.call('ZCARD', KEYS[3]) - tonumber(ARGV[11]), 500)
if excess > 0 then
  local oldest = redis.call('ZRANGE', KEYS[3], 0, excess - 1, 'WITHSCORES')
  for i = 1, #oldest, 2 do
    if tonumber(oldest[i + 1]) >= 0 then dropped = dropped + 1 end
    forget(oldest[i], ARGV[2], ARGV[3])
  end
end
return {'ok', dropped}
`;

/**
 * Stops a cleanup, or starts one that was stopped or failed; one that failed has all its tries again.
 *
 * KEYS cleanups, stopped, failed, record · ARGV id, 1 to stop or 0 to start, now (ms)
 * Returns {`unknown`} | {`ok`, due}
 */
export const SET_CLEANUP_STOPPED = `
local record = redis.call('HMGET', KEYS[4], 'due', 'status')
if not record[1] then return {'unknown'} end
if ARGV[2] == '1' then
  if record[2] == 'waiting' then
    redis.call('HSET', KEYS[4], 'status', 'stopped')
    redis.call('ZREM', KEYS[1], ARGV[1])
    redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
  end
elseif record[2] ~= 'waiting' then
  redis.call('HSET', KEYS[4], 'status', 'waiting', 'retry_at', '0', 'nb_errors', '0', 'outages', '0', 'processed', '0')
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('ZREM', KEYS[3], ARGV[1])
  redis.call('ZADD', KEYS[1], record[1], ARGV[1])
end
return {'ok', record[1]}
`;

/**
 * Makes a cleanup that waits due now, and ends the pause after a refusal. One that is due already stays as it is.
 *
 * KEYS cleanups, record · ARGV id, now (ms)
 * Returns {`unknown`} | {`stopped`} | {`failed`} | {`ok`, due}
 */
export const MAKE_CLEANUP_DUE = `
local record = redis.call('HMGET', KEYS[2], 'due', 'status')
if not record[1] then return {'unknown'} end
if record[2] ~= 'waiting' then return {record[2]} end
local due = tonumber(record[1])
if not due then return {'failed'} end
if due > tonumber(ARGV[2]) then due = tonumber(ARGV[2]) end
due = string.format('%.0f', due)
redis.call('HSET', KEYS[2], 'due', due, 'retry_at', '0')
redis.call('ZADD', KEYS[1], due, ARGV[1])
return {'ok', due}
`;
