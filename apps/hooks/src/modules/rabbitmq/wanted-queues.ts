import { createQueueStore } from '@cds/hooks-store';
import type { HookConfig } from '@cds/wire';
import type { Redis } from 'ioredis';
import { readSettings } from './rabbitmq-settings';

export type WantedQueues = ReturnType<typeof createWantedQueues>;

/** The queues to consume, in Redis. */
export function createWantedQueues({ redis }: { redis: Redis }) {
  const store = createQueueStore({ redis });

  return {
    ...store,

    /** Called after a task was stored or started. */
    async want(uuid: string, config: HookConfig | null): Promise<void> {
      const settings = readSettings(config);
      await store.want(uuid, config, 'problem' in settings ? '' : JSON.stringify(settings));
    },
  };
}
