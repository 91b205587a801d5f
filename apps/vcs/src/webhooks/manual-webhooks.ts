import type { Logger } from '@cds/service';
import type { Redis } from 'ioredis';
import { hookUuid } from './proxied-url';

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

/** Where the command finds the webhook of a hook's uuid. */
export function manualWebhookKey(uuid: string): string {
  return `cdsbb:vcs:manual-webhook:${uuid}`;
}

/** The log says it all too, so a Redis that is away is no reason to refuse. */
export function createManualWebhooks(deps: { redis: Redis; logger: Logger }): ManualWebhooks {
  const { redis, logger } = deps;
  return {
    async add(webhook) {
      logger.warn(
        { ...webhook },
        'disableWebHooksCreation is set: add this webhook to the repository by hand',
      );
      const key = manualWebhookKey(hookUuid(webhook.url));
      await redis.set(key, JSON.stringify(webhook)).catch((error: unknown) => {
        logger.warn({ err: error }, 'Redis did not take a webhook to add by hand');
      });
    },
    async remove(webhook) {
      logger.warn(
        { ...webhook },
        'disableWebHooksCreation is set: remove this webhook from the repository by hand',
      );
      await redis.del(manualWebhookKey(hookUuid(webhook.url))).catch((error: unknown) => {
        logger.warn({ err: error }, 'Redis did not forget a webhook that was added by hand');
      });
    },
  };
}
