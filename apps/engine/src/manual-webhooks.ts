import type { RedisConfig } from '@cds/config';
import { connectRedis, vcsKeys } from '@cds/redis';
import { once } from 'node:events';
import { z } from 'zod';

/** A webhook that has to be added at Bitbucket by hand, as vcs keeps it in Redis. */
const manualWebhookSchema = z.object({
  repository: z.string(),
  url: z.string(),
  events: z.array(z.string()),
});

export type ManualWebhook = z.infer<typeof manualWebhookSchema>;

const DEADLINE_MS = 5_000;

/** Reads what vcs noted for the webhook. Undefined when it noted nothing; rejects when Redis cannot be asked. */
export async function readManualWebhook(
  redis: RedisConfig,
  uuid: string,
): Promise<ManualWebhook | undefined> {
  const silent = () => undefined;
  const logger = { debug: silent, info: silent, warn: silent, error: silent };
  const client = connectRedis({ redis, logger, name: 'engine' }, 'client');
  try {
    if (client.status !== 'ready')
      await once(client, 'ready', { signal: AbortSignal.timeout(DEADLINE_MS) });
    const text = await client.get(vcsKeys.manualWebhook(uuid));
    return text === null ? undefined : manualWebhookSchema.parse(JSON.parse(text));
  } finally {
    client.disconnect();
  }
}
