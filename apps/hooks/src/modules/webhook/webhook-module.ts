import { MalformedExecutionError } from '../../payloads/malformed-execution';
import type { HookModule } from '../hook-module';
import { normalizeWebhook } from '../webhook-url';
import { planWebhook } from './plan-webhook';
import { webhookDeliveries } from './validate-delivery';

/** Plain webhooks: any sender, any JSON, form or query. */
export const webhook: HookModule = {
  types: ['Webhook'],
  normalize: normalizeWebhook,
  deliveries: webhookDeliveries,
  plan({ execution: { config, webhook }, body }) {
    if (!webhook) throw new MalformedExecutionError('the execution holds no request');
    return planWebhook({
      config: config ?? {},
      query: webhook.request_url,
      contentType: webhook.request_header['Content-Type']?.[0] ?? '',
      body: Buffer.from(body as string),
    });
  },
};
