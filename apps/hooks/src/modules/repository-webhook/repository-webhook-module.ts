import { MalformedWebhookError } from '../../payloads/malformed-delivery';
import type { HookModule } from '../hook-module';
import { normalizeWebhook } from '../webhook-url';
import { planPush } from './plan-push';
import { repositoryDeliveries } from './validate-delivery';

const PUSH_EVENT = 'repo:push';

/** Webhooks that Bitbucket Cloud calls for pushes to a repository. */
export const repositoryWebhook: HookModule = {
  types: ['RepoWebHook'],
  normalize: normalizeWebhook,
  deliveries: repositoryDeliveries,
  plan({ execution, body, namesEvents }) {
    const { webhook } = execution;
    if (!webhook) throw new MalformedWebhookError('the execution holds no request');
    const [event = PUSH_EVENT] = webhook.request_header['X-Event-Key'] ?? [];
    return planPush(body, execution, namesEvents ? event : undefined);
  },
};
