import { defineScript, replies, type ReplyParser } from '@cds/redis';
import { IS_AS_READ, REMOVAL_MARKS } from './cleanup-functions.lua';

/**
 * Takes the hook locks of several cleanups and marks those as under way that need no check first:
 * CLAIM_HOOK and BEGIN_CLEANUP in one round trip for all.
 *
 * Returns for each {`begun`}; {`busy`, token} when another process holds the hook; or {`other`}: it
 * changed, the task of its hook is gone or of another workflow, deliveries wait at a hook of the
 * workflow, or the branch was pushed there. One that is not begun is no longer under way for this
 * holder.
 */
export const BEGIN_DUE_CLEANUPS = defineScript({
  name: 'cdsbbBeginDueCleanups',
  keys: [],
  args: [
    ...(['ownerPrefix', 'taskPrefix', 'waitingPrefix', 'refsPrefix'] as const),
    ...(['lockToken', 'workflowField', 'maxHooks'] as const),
  ],
  each: ['record', 'hook', 'workflowHooks', 'ref', 'accepted', 'due', 'retryAt', 'outages'],
  reply: replies.listOf(
    replies.listOf(replies.text) as ReplyParser<['begun' | 'other'] | ['busy', string]>,
  ),
  lua: (_K, A, EACH) => `
${IS_AS_READ}
${REMOVAL_MARKS}
local holder, owners = ${A.lockToken}, ${A.ownerPrefix}
local tasks, waiting = ${A.taskPrefix}, ${A.waitingPrefix}
local function isThere(hook, ref, after)
  local last = redis.call('HGET', ${A.refsPrefix} .. hook, ref) or ''
  local new, id = string.match(last, '>([^:]*):(%d+)$')
  return new and new ~= '' and tonumber(id) > after
end
local function isQuiet(hook, workflow, ref, accepted)
  if redis.call('HGET', tasks .. hook, ${A.workflowField}) ~= workflow then return false end
  if redis.call('EXISTS', waiting .. hook) == 1 then return false end
  if isThere(hook, ref, tonumber(accepted)) then return false end
  if redis.call('SCARD', workflow) > tonumber(${A.maxHooks}) then return false end
  for _, other in ipairs(redis.call('SMEMBERS', workflow)) do
    if redis.call('EXISTS', waiting .. other) == 1 then return false end
    if other ~= hook and isThere(other, ref, 0) then return false end
  end
  return true
end
local function begin(record, hook, workflow, ref, accepted, due, retryAt, outages)
  local owner = redis.call('GET', owners .. hook)
  local mark = hook .. ' ' .. holder
  if redis.call('HGET', record, 'under_way') == mark then
    redis.call('HDEL', record, 'under_way')
  end
  if owner and owner ~= holder then return {'busy', owner} end
  if not isAsRead(record, accepted, due, retryAt, outages) then return {'other'} end
  if not isQuiet(hook, workflow, ref, accepted) then return {'other'} end
  if not owner then redis.call('SET', owners .. hook, holder) end
  markUnderWay(record, mark)
  return {'begun'}
end
local begun = {}
for i = ${EACH.range} do
  -- A key of another type is repaired when this cleanup is begun alone.
  local isRight, result = pcall(begin, unpack(ARGV, i, i + 7))
  begun[#begun + 1] = isRight and result or {'other'}
end
return begun
`,
});

/**
 * Lists the cleanups that are due within a time (ms), the first ones first. `hook` is "" where the
 * record does not say it.
 */
export const DUE_WITHIN = defineScript({
  name: 'cdsbbDueWithin',
  keys: ['cleanups'],
  args: ['from', 'until', 'offset', 'limit', 'recordPrefix'],
  reply: replies.records({ id: replies.text, due: replies.numeral, hook: replies.text }),
  lua: (K, A) => `
local near = redis.call('ZRANGEBYSCORE', ${K.cleanups}, ${A.from}, ${A.until}, 'WITHSCORES',
  'LIMIT', ${A.offset}, ${A.limit})
local named = {}
for i = 1, #near, 2 do
  named[#named + 1] = near[i]
  named[#named + 1] = near[i + 1]
  local hook = redis.pcall('HGET', ${A.recordPrefix} .. near[i], 'hook')
  named[#named + 1] = type(hook) == 'string' and hook or ''
end
return named
`,
});

/** Reads whole records, as field, value, field…; one that is no hash has no fields. */
export const READ_CLEANUPS = defineScript({
  name: 'cdsbbReadCleanups',
  keys: [],
  args: [],
  each: ['record'],
  reply: replies.listOf(replies.listOf(replies.text)),
  lua: (_K, _A, EACH) => `
local read = {}
for i = ${EACH.range} do
  local fields = redis.pcall('HGETALL', ${EACH.record})
  read[i] = fields.err and {} or fields
end
return read
`,
});
