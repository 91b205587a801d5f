import { defineScript, replies } from '@cds/redis';
import { SIGNED_FIELD, SYNCHRONIZED_FIELD } from '../redis-keys';

/**
 * Reads what is known of a hook. A script, since a pipeline of ioredis costs four times as much
 * where BullMQ has defined its scripts, and strangers cause lookups by the thousand.
 *
 * Returns {type or nothing, method or nothing, signed or nothing, when all hooks were last read or
 * nothing, 1 where the set of tasks has it}
 */
export const LOOK_UP_HOOK = defineScript({
  name: 'cdsbbLookUpHook',
  keys: ['task', 'mark', 'tasks'],
  args: ['uuid'],
  reply(reply) {
    const [type, method, signed, synchronizedAt, isTask] = replies.listOf((item) => item)(reply);
    return {
      type: replies.textOrNull(type),
      method: replies.textOrNull(method),
      signed: signed === '1',
      synchronizedAt: replies.textOrNull(synchronizedAt),
      isTask: replies.flag(isTask),
    };
  },
  lua: (K, A) => `
local task = redis.call('HMGET', ${K.task}, 'type', 'method', '${SIGNED_FIELD}')
return {task[1], task[2], task[3], redis.call('HGET', ${K.mark}, '${SYNCHRONIZED_FIELD}'),
  redis.call('SISMEMBER', ${K.tasks}, ${A.uuid})}
`,
});
