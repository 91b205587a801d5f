import type { Logger } from '@cds/service';
import type { GrantedCall } from '../servers/granted-route';
import { repositoryId, type WebhookStore } from './webhook-store';
import type { WebhookKey } from './webhook-key';

export type WebhookTracker = ReturnType<typeof createWebhookTracker>;

/** Records what the API did with webhooks, for their repair. An outage of Redis fails no call. */
export function createWebhookTracker(deps: {
  webhookStore: WebhookStore;
  webhookKey: WebhookKey;
  logger: Logger;
}) {
  const { webhookStore, webhookKey, logger } = deps;

  async function ignoreOutage(work: Promise<unknown>): Promise<void> {
    await work.catch((error: unknown) => {
      logger.debug({ err: error }, 'webhook not recorded in Redis');
    });
  }

  return {
    /** @param webhook as it is at Bitbucket; `url` as the API knows it */
    upserted(
      call: GrantedCall,
      { uuid, url: atBitbucket, events }: { uuid: string; url: string; events: string[] },
      url: string,
    ): Promise<void> {
      const known = { uuid, events, key: webhookKey.fingerprint };
      const id = idOf(call);
      return ignoreOutage(
        Promise.all([webhookStore.save(id, atBitbucket, known), webhookStore.addUrlPrefix(url)]),
      );
    },
    /** @param webhook `url` at Bitbucket, or '' where only the uuid is known */
    deleted: (call: GrantedCall, webhook: { url: string; uuid: string }) =>
      ignoreOutage(webhookStore.remove(idOf(call), webhook)),
  };
}

function idOf(call: GrantedCall): string {
  return repositoryId(call.server.config.name, call.repo);
}
