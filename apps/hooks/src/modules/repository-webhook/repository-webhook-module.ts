import { MalformedExecutionError } from '../../payloads/malformed-execution';
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
    if (!webhook) throw new MalformedExecutionError('the execution holds no request');
    return planPush(body, execution, namesEvents ? eventOf(webhook) : undefined);
  },
};

/** Cleanups read what is stored before it is checked: headers may be missing. */
function eventOf({ request_header: headers }: { request_header?: Record<string, string[]> }) {
  return headers?.['X-Event-Key']?.[0] ?? PUSH_EVENT;
}
