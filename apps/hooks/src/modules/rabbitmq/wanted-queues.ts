import { hookKeys, KEYS } from '@cds/hooks-store';
import { defineScript } from '@cds/redis';
import type { HookConfig } from '@cds/wire';
import type { Redis } from 'ioredis';
import { readSettings } from './rabbitmq-settings';

/**
 * KEYS queues, task · ARGV uuid, the configuration as the caller knows it (JSON), the settings of its queue (JSON) or ""
 * Wanted is what the task is now: of this kind and not stopped. A caller who knows another configuration changes nothing.
 */
const WANT = `
local task = redis.call('HMGET', KEYS[2], 'type', 'stopped', 'config')
if task[1] ~= 'RabbitMQ' or task[2] == '1' then return redis.call('HDEL', KEYS[1], ARGV[1]) end
if ARGV[3] ~= '' and task[3] == ARGV[2] then redis.call('HSET', KEYS[1], ARGV[1], ARGV[3]) end
return 0`;

export type WantedQueues = ReturnType<typeof createWantedQueues>;

/** Which queues are to be consumed, in Redis, by the tasks that there are. */
export function createWantedQueues(deps: { redis: Redis }) {
  const { redis } = deps;
  const want = defineScript(redis, 'cdsbbWantQueue', WANT, 2);

  return {
    /** By uuid the settings of its queue (JSON). */
    all: (): Promise<Record<string, string>> => redis.hgetall(KEYS.queues),

    /** After a task was kept or started with this configuration. */
    async want(uuid: string, config: HookConfig | null): Promise<void> {
      const settings = readSettings(config);
      const text = 'problem' in settings ? '' : JSON.stringify(settings);
      await want([KEYS.queues, hookKeys(uuid).task], [uuid, JSON.stringify(config), text]);
    },

    /** Forgets it where its task is gone, stopped, or of another kind by now. */
    async check(uuid: string): Promise<void> {
      await want([KEYS.queues, hookKeys(uuid).task], [uuid, '', '']);
    },

    async forget(uuid: string): Promise<void> {
      await redis.hdel(KEYS.queues, uuid);
    },
  };
}
