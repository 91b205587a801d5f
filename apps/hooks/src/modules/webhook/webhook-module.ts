import { MalformedExecutionError } from '../../payloads/malformed-execution';
import type { HookModule } from '../hook-module';
import type { DeliveryValidator, IncomingDelivery, Validation } from '../incoming-delivery';
import { normalizeWebhook } from '../webhook-url';
import { planWebhook } from './plan-webhook';

/** Plain webhooks accept any sender. */
export const webhookDeliveries: DeliveryValidator = {
  type: 'Webhook',
  validate: validateWebhookDelivery,
  anySender: true,
};

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

/**
 * Validates a delivery to a plain webhook.
 *
 * @param delivery its method counts as the configured one, since the store refuses every other
 * @returns `accept` only where {@link planWebhook} can plan it
 */
export function validateWebhookDelivery({
  method,
  query,
  headers,
  body,
}: Pick<IncomingDelivery, 'method' | 'query' | 'headers' | 'body'>): Validation {
  const value = { value: method, configurable: false, type: '', multiple_choice_list: null };
  const contentType = headers['content-type'] ?? '';
  try {
    planWebhook({ config: { method: value }, query, contentType, body });
    return { kind: 'accept' };
  } catch (error) {
    if (error instanceof MalformedExecutionError) return { kind: 'refuse', reason: error.message };
    throw error;
  }
}
