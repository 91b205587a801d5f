import { defineScript, type LuaNames, replies, type ReplyParser } from '@cds/redis';
import type { TaskType } from '@cds/wire';
import { SIGNED_FIELD, SYNCHRONIZED_FIELD } from '../redis-keys';

export const taskType = replies.text as ReplyParser<TaskType>;

/** Of an unknown hook. It says little where the hooks of the API were not read yet. */
export const ABSENT_HOOK = {
  /** When the last complete reading of the API's hooks began (ms); undefined before the first. */
  synchronizedAt: replies.numeralIfAny,
  /** The set of tasks has it, but its hash is gone. */
  vanished: replies.flag,
};

/** Lua expression: the reply for an unknown hook. */
export const absentHook = (K: LuaNames<'mark' | 'tasks'>, A: LuaNames<'uuid'>) =>
  `{'unknown', redis.call('HGET', ${K.mark}, '${SYNCHRONIZED_FIELD}') or '',
    redis.call('SISMEMBER', ${K.tasks}, ${A.uuid})}`;

/**
 * Reads what is known of a hook, as far as it decides whether a delivery is read at all. A script,
 * since a pipeline of ioredis costs four times as much where BullMQ has defined its scripts, and
 * strangers cause lookups by the thousand.
 */
export const LOOK_UP_HOOK = defineScript({
  name: 'cdsbbLookUpHook',
  keys: ['task', 'mark', 'tasks'],
  args: ['uuid'],
  reply: replies.variants({
    unknown: ABSENT_HOOK,
    known: {
      type: taskType,
      /** The method of its requests. */
      method: replies.text,
      /** Whether a delivery of it had a right signature before. */
      signed: replies.flag,
    },
  }),
  lua: (K, A) => `
local task = redis.call('HMGET', ${K.task}, 'type', 'method', '${SIGNED_FIELD}')
if not task[1] then return ${absentHook(K, A)} end
return {'known', task[1], task[2] or '', task[3] == '1' and 1 or 0}
`,
});
