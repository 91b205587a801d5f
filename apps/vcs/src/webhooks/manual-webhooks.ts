import { vcsKeys } from '@cds/redis';
import type { Logger } from '@cds/service';
import { hookUuidOf } from '@cds/webhook-signature';
import type { Redis } from 'ioredis';

/** A webhook that a person has to add at Bitbucket. */
export interface ManualWebhook {
  /** `workspace/slug` */
  repository: string;
  /** As Bitbucket needs it. */
  url: string;
  events: string[];
}

/** Webhooks to add by hand, kept for `engine vcs webhook UUID`. */
export interface ManualWebhooks {
  add(webhook: ManualWebhook): Promise<void>;
  remove(webhook: Omit<ManualWebhook, 'events'>): Promise<void>;
}

/** The log contains all but the secret, so a Redis that is away is no reason to refuse. */
export function createManualWebhooks(deps: { redis: Redis; logger: Logger }): ManualWebhooks {
  const { redis, logger } = deps;
  return {
    async add(webhook) {
      const uuid = hookUuidOf(webhook.url);
      logger.warn(
        { ...webhook, command: `engine vcs webhook ${uuid}` },
        'disableWebHooksCreation is set: add this webhook to the repository by hand, with the secret that the command prints',
      );
      const key = vcsKeys.manualWebhook(uuid);
      await redis.set(key, JSON.stringify(webhook)).catch((error: unknown) => {
        logger.warn({ err: error }, 'webhook to add by hand not stored in Redis');
      });
    },
    async remove(webhook) {
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
