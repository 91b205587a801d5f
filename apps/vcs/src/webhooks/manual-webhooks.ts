import { vcsKeys } from '@cds/redis';
import type { Logger } from '@cds/service';
import { hookUuidOf } from '@cds/webhook-signature';
import type { Redis } from 'ioredis';

/** A webhook that a person has to add at Bitbucket. */
interface ManualWebhook {
  /** `workspace/slug` */
  repository: string;
  /** As Bitbucket needs it. */
  url: string;
  events: string[];
}

export type ManualWebhooks = ReturnType<typeof createManualWebhooks>;

/**
 * Webhooks to add by hand, kept for `engine vcs webhook UUID`. The log contains all but the secret,
 * so a Redis that is away is no reason to refuse.
 */
export function createManualWebhooks({ redis, logger }: { redis: Redis; logger: Logger }) {
  return {
    async add(webhook: ManualWebhook): Promise<void> {
      const uuid = hookUuidOf(webhook.url);
      logger.warn(
        { ...webhook, command: `engine vcs webhook ${uuid}` },
        'disableWebHooksCreation is set: add this webhook to the repository by hand, ' +
          'with the secret that the command prints',
      );
      const key = vcsKeys.manualWebhook(uuid);
      await redis.set(key, JSON.stringify(webhook)).catch((error: unknown) => {
        logger.warn({ err: error }, 'webhook to add by hand not stored in Redis');
      });
    },
    async remove(webhook: Omit<ManualWebhook, 'events'>): Promise<void> {
      logger.warn(
        { ...webhook },
        'disableWebHooksCreation is set: remove this webhook from the repository by hand',
      );
      await redis.del(vcsKeys.manualWebhook(hookUuidOf(webhook.url))).catch((error: unknown) => {
        logger.warn({ err: error }, 'webhook added by hand not removed from Redis');
      });
    },
  };
}
