import { defineScript, replies } from '@cds/redis';
import type { HookConfig } from '@cds/wire';
import type { Redis } from 'ioredis';
import { KEYS, keysOf } from '../redis-keys';

/**
 * Consumes the queue of a running RabbitMQ task. Another configuration than the task's changes
 * nothing. `settings` of its queue is JSON, or "".
 */
const WANT_QUEUE = defineScript({
  name: 'cdsbbWantQueue',
  keys: ['queues', 'task'],
  args: ['uuid', 'config', 'settings'],
  reply: replies.ignored,
  lua: (K, A) => `
local task = redis.call('HMGET', ${K.task}, 'type', 'stopped', 'config')
if task[1] ~= 'RabbitMQ' or task[2] == '1' then
  redis.call('HDEL', ${K.queues}, ${A.uuid})
elseif ${A.settings} ~= '' and task[3] == ${A.config} then
  redis.call('HSET', ${K.queues}, ${A.uuid}, ${A.settings})
end
`,
});

/** The RabbitMQ queues that are consumed. */
export function createQueueStore({ redis }: { redis: Redis }) {
  const wantQueue = WANT_QUEUE.on(redis);

  return {
    /** Uuid of the hook → the settings of its queue (JSON). */
    all: (): Promise<Record<string, string>> => redis.hgetall(KEYS.queues),

    /**
     * After a task was stored or started with this configuration.
     * @param settings JSON; "" without any
     */
    want: (uuid: string, config: HookConfig | null, settings: string): Promise<void> =>
      wantQueue(keysOf(uuid), { uuid, config: JSON.stringify(config), settings }),

    /** Removes it where its task is gone, stopped, or of another type. */
    check: (uuid: string): Promise<void> =>
      wantQueue(keysOf(uuid), { uuid, config: '', settings: '' }),

    async forget(uuid: string): Promise<void> {
      await redis.hdel(KEYS.queues, uuid);
    },
  };
}
