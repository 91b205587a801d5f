import type { Logger } from '@cds/service';
import type { GrantedCall } from '../servers/granted-route';
import { repoOf } from '../http/repository-ref';
import { repositoryId, type KnownWebhooks } from './webhook-store';
import type { WebhookKey } from './webhook-key';

/** Keeps what the API did with webhooks, for their repair. A Redis that is away fails no call of the API. */
export interface WebhookMemory {
  /**
   * @param webhook as it is at Bitbucket
   * @param url the hook's, as the API knows it
   */
  putInForce(
    call: GrantedCall,
    webhook: { uuid: string; url: string; events: string[] },
    url: string,
  ): Promise<void>;
  /** @param webhook `url` at Bitbucket, or '' where only the uuid is known */
  deleted(call: GrantedCall, webhook: { url: string; uuid: string }): Promise<void>;
}

export function createWebhookMemory(deps: {
  knownWebhooks: KnownWebhooks;
  webhookKey: WebhookKey;
  logger: Logger;
}): WebhookMemory {
  const { knownWebhooks, webhookKey, logger } = deps;

  async function tell(work: Promise<unknown>): Promise<void> {
    await work.catch((error: unknown) => {
      logger.debug({ err: error }, 'Redis did not take what became of a webhook');
    });
  }

  return {
    putInForce(call, { uuid, url: atBitbucket, events }, url) {
      const known = { uuid, events, key: webhookKey.fingerprint };
      const id = idOf(call);
      return tell(
        Promise.all([
          knownWebhooks.remember(id, atBitbucket, known),
          knownWebhooks.learnBeginning(url),
        ]),
      );
    },
    deleted: (call, webhook) => tell(knownWebhooks.forget(idOf(call), webhook)),
  };
}

function idOf(call: GrantedCall): string {
  return repositoryId(call.server.config.name, repoOf(call.req));
}
