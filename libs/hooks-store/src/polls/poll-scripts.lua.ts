import { defineScript, replies } from '@cds/redis';
import { dueReply, NOW } from '../due.lua';
import { POLL_ERROR_FIELD, POLLED_FIELD } from '../redis-keys';

/** Lua function: whether the repository of a hook is polled. */
const IS_POLLED = `
local function isPolled(type, stopped, reconcile)
  if stopped == '1' then return false end
  return type == 'RepoPoller' or (type == 'RepoWebHook' and reconcile == '1')
end
`;

/**
 * Reads the next polls. Times beyond any pause come first, as due: the clock of Redis was put back.
 */
export const READ_POLLS = defineScript({
  name: 'cdsbbReadPolls',
  keys: ['polls'],
  args: ['count', 'maxAheadMs'],
  reply: dueReply,
  lua: (K, A) => `
${NOW}
local time = now()
local reply = {ms(time)}
local ahead = '(' .. ms(time + tonumber(${A.maxAheadMs}))
local far = redis.call('ZRANGEBYSCORE', ${K.polls}, ahead, '+inf', 'WITHSCORES', 'LIMIT', 0,
  ${A.count})
for i = 1, #far do table.insert(reply, far[i]) end
local first = redis.call('ZRANGE', ${K.polls}, 0, tonumber(${A.count}) - 1, 'WITHSCORES')
for i = 1, #first do table.insert(reply, first[i]) end
return reply
`,
});

/**
 * Aligns the poll of a hook with its task. A new poller is polled at once, and so is one whose last
 * poll failed, since its task may be corrected; a repository webhook later.
 */
export const ALIGN_POLL = defineScript({
  name: 'cdsbbAlignPoll',
  keys: ['polls', 'pollsFailing', 'task'],
  args: ['uuid', 'isReconciled', 'isAtOnce', 'firstMs'],
  reply: replies.ignored,
  lua: (K, A) => `
${NOW}
${IS_POLLED}
local task = redis.call('HMGET', ${K.task}, 'type', 'stopped')
if not isPolled(task[1], task[2], ${A.isReconciled}) then
  redis.call('ZREM', ${K.polls}, ${A.uuid})
  redis.call('ZREM', ${K.pollsFailing}, ${A.uuid})
  return
end
local time = now()
redis.call('HSETNX', ${K.task}, '${POLLED_FIELD}', ms(time))
local isPoller = task[1] == 'RepoPoller'
local isFailing = isPoller and redis.call('ZSCORE', ${K.pollsFailing}, ${A.uuid})
if ${A.isAtOnce} == '1' or isFailing then
  redis.call('ZADD', ${K.polls}, ms(time), ${A.uuid})
else
  local first = isPoller and time or time + tonumber(${A.firstMs})
  redis.call('ZADD', ${K.polls}, 'NX', ms(first), ${A.uuid})
end
`,
});

/**
 * Takes the poll of a hook for a while, so that no second replica takes it. It is due again after
 * that, in case the replica died.
 */
export const TAKE_POLL = defineScript({
  name: 'cdsbbTakePoll',
  keys: ['polls', 'pollsFailing', 'task'],
  args: ['uuid', 'due', 'leaseMs', 'isReconciled'],
  reply: replies.variants({
    other: {},
    taken: {
      began: replies.numeral,
      until: replies.numeral,
      type: replies.oneOf('RepoPoller', 'RepoWebHook'),
      method: replies.text,
      config: replies.textOrNull,
      /** When the last poll began (ms), or "". */
      since: replies.text,
      /** Id of the newest execution, or "". */
      lastId: replies.text,
    },
  }),
  lua: (K, A) => `
${NOW}
${IS_POLLED}
local due = redis.call('ZSCORE', ${K.polls}, ${A.uuid})
if not due or tonumber(due) ~= tonumber(${A.due}) then return {'other'} end
local task = redis.call('HMGET', ${K.task}, 'type', 'stopped', 'method', 'config',
  '${POLLED_FIELD}', 'last_id')
if not isPolled(task[1], task[2], ${A.isReconciled}) then
  redis.call('ZREM', ${K.polls}, ${A.uuid})
  redis.call('ZREM', ${K.pollsFailing}, ${A.uuid})
  return {'other'}
end
local time = now()
local until_ = ms(time + tonumber(${A.leaseMs}))
redis.call('ZADD', ${K.polls}, until_, ${A.uuid})
return {'taken', ms(time), until_, task[1], task[3] or '', task[4], task[5] or '', task[6] or ''}
`,
});

/**
 * Ends a poll: stores its result and the time of the next one. Nothing is stored of a hook that is
 * no longer polled; a poll that another replica took keeps its time.
 *
 * Returns `failed` for the first failed poll in a row, `better` for the first success
 */
export const END_POLL = defineScript({
  name: 'cdsbbEndPoll',
  keys: ['polls', 'pollsFailing', 'task'],
  args: ['uuid', 'until', 'pauseMs', 'began', 'error'],
  reply: replies.oneOf('gone', 'ok', 'failed', 'better'),
  lua: (K, A) => `
${NOW}
local due = redis.call('ZSCORE', ${K.polls}, ${A.uuid})
if not due or redis.call('EXISTS', ${K.task}) == 0 then return 'gone' end
local time = now()
if tonumber(due) == tonumber(${A.until}) then
  redis.call('ZADD', ${K.polls}, ms(time + tonumber(${A.pauseMs})), ${A.uuid})
end
redis.call('HSET', ${K.task}, '${POLL_ERROR_FIELD}', ${A.error})
if ${A.began} == '' then
  local added = redis.call('ZADD', ${K.pollsFailing}, 'NX', ms(time), ${A.uuid})
  return added == 1 and 'failed' or 'ok'
end
redis.call('HSET', ${K.task}, '${POLLED_FIELD}', ${A.began})
return redis.call('ZREM', ${K.pollsFailing}, ${A.uuid}) == 1 and 'better' or 'ok'
`,
});

/** Skips a poll. Returns 1 when it was the next one */
export const LEAVE_OUT_POLL = defineScript({
  name: 'cdsbbLeaveOutPoll',
  keys: ['polls'],
  args: ['uuid', 'due', 'pauseMs'],
  reply: replies.flag,
  lua: (K, A) => `
local due = redis.call('ZSCORE', ${K.polls}, ${A.uuid})
if not due or tonumber(due) ~= tonumber(${A.due}) then return 0 end
local next = string.format('%.0f', tonumber(due) + tonumber(${A.pauseMs}))
redis.call('ZADD', ${K.polls}, next, ${A.uuid})
return 1
`,
});
