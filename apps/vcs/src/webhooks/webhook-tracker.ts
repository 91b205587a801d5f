import type { Logger } from '@cds/service';
import type { GrantedCall } from '../servers/granted-route';
import { repoOf } from '../http/repository-ref';
import { repositoryId, type WebhookStore } from './webhook-store';
import type { WebhookKey } from './webhook-key';

/** Records what the API did with webhooks, for their repair. An outage of Redis fails no call. */
export interface WebhookTracker {
  /** @param webhook as it is at Bitbucket; `url` as the API knows it */
  upserted(
    call: GrantedCall,
    webhook: { uuid: string; url: string; events: string[] },
    url: string,
  ): Promise<void>;
  /** @param webhook `url` at Bitbucket, or '' where only the uuid is known */
  deleted(call: GrantedCall, webhook: { url: string; uuid: string }): Promise<void>;
}

export function createWebhookTracker(deps: {
  webhookStore: WebhookStore;
  webhookKey: WebhookKey;
  logger: Logger;
}): WebhookTracker {
  const { webhookStore, webhookKey, logger } = deps;

  async function ignoreOutage(work: Promise<unknown>): Promise<void> {
    await work.catch((error: unknown) => {
      logger.debug({ err: error }, 'webhook not recorded in Redis');
    });
  }

  return {
    upserted(call, { uuid, url: atBitbucket, events }, url) {
      const known = { uuid, events, key: webhookKey.fingerprint };
      const id = idOf(call);
      return ignoreOutage(
        Promise.all([webhookStore.save(id, atBitbucket, known), webhookStore.addUrlPrefix(url)]),
      );
    },
    deleted: (call, webhook) => ignoreOutage(webhookStore.remove(idOf(call), webhook)),
  };
}

function idOf(call: GrantedCall): string {
  return repositoryId(call.server.config.name, repoOf(call.req));
}
