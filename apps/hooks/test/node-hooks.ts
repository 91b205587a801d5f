import { randomUUID } from 'node:crypto';
import type { HookConfig, NodeHook } from '@cds/wire';
import { signatureOf, webhookSecret } from '@cds/webhook-signature';
import { TOKEN } from './cds-api-stand-in';
import type { WebhookRequest } from './running-hooks';

/**
 * The request as Bitbucket signs it for this hook. @param key the `webhookKey` that its secret was
 * made of
 */
export function signed(hook: NodeHook, request: WebhookRequest, key = TOKEN): WebhookRequest {
  const signature = signatureOf(webhookSecret(key, hook.uuid), Buffer.from(request.body ?? ''));
  return { ...request, headers: { ...request.headers, 'X-Hub-Signature': signature } };
}

function value(text: string): HookConfig[string] {
  return { value: text, configurable: false, type: '', multiple_choice_list: null };
}

/** A repository webhook as the API posts it. */
export function repositoryHook(change: Partial<Record<string, string>> = {}): NodeHook {
  return nodeHook('RepositoryWebHook', {
    method: 'POST',
    project: 'PROJ',
    repoFullName: 'jdoe/repo-0',
    vcsServer: 'bitbucketcloud',
    workflow: 'wf1',
    workflow_id: '1',
    ...change,
  });
}

export function plainHook(change: Partial<Record<string, string>> = {}): NodeHook {
  return nodeHook('WebHook', {
    method: 'POST',
    project: 'PROJ',
    workflow: 'wf2',
    workflow_id: '2',
    ...change,
  });
}

export function nodeHook(model: string, config: Partial<Record<string, string>>): NodeHook {
  return {
    id: 0,
    uuid: randomUUID(),
    ref: '1795343649',
    node_id: 0,
    hook_model_id: 2,
    hook_model_name: model,
    config: Object.fromEntries(
      Object.entries(config).map(([key, text]) => [key, value(text ?? '')]),
    ),
  };
}
