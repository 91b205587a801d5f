import { createQueueStore } from '@cds/hooks-store';
import type { HookConfig } from '@cds/wire';
import type { Redis } from 'ioredis';
import { readSettings } from './rabbitmq-settings';

export type WantedQueues = ReturnType<typeof createWantedQueues>;

/** Which queues are to be consumed, in Redis, by the tasks that there are. */
export function createWantedQueues({ redis }: { redis: Redis }) {
  const store = createQueueStore({ redis });

  return {
    ...store,

    /** After a task was kept or started with this configuration. */
    async want(uuid: string, config: HookConfig | null): Promise<void> {
      const settings = readSettings(config);
      await store.want(uuid, config, 'problem' in settings ? '' : JSON.stringify(settings));
    },
  };
}
