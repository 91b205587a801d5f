import type { RedisConfig } from '@cds/config';
import { connectRedis, vcsKeys } from '@cds/redis';
import { once } from 'node:events';
import { z } from 'zod';

/** A webhook to add at Bitbucket by hand, as vcs stores it in Redis. */
const manualWebhookSchema = z.object({
  repository: z.string(),
  url: z.string(),
  events: z.array(z.string()),
});

export type ManualWebhook = z.infer<typeof manualWebhookSchema>;

const DEADLINE_MS = 5_000;

/** Undefined when vcs stored nothing for the webhook; rejects while Redis is away. */
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
