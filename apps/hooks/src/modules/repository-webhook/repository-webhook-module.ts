import { MalformedWebhookError } from '../../payloads/malformed-delivery';
import type { HookModule } from '../hook-module';
import { normalizeWebhook } from '../webhook-url';
import { planPush } from './plan-push';
import { repositoryDeliveries } from './validate-delivery';

/** Webhooks that Bitbucket Cloud calls for pushes to a repository. */
export const repositoryWebhook: HookModule = {
  types: ['RepoWebHook'],
  normalize: normalizeWebhook,
  deliveries: repositoryDeliveries,
  plan({ execution, body }) {
    if (!execution.webhook) throw new MalformedWebhookError('the execution holds no request');
    return planPush(body, execution);
  },
};
