import { MalformedExecutionError } from '../../payloads/malformed-execution';
import type { DeliveryValidator, IncomingDelivery, Validation } from '../incoming-delivery';
import { planWebhook } from './plan-webhook';

/** Plain webhooks accept any sender. */
export const webhookDeliveries: DeliveryValidator = {
  type: 'Webhook',
  validate: validateWebhookDelivery,
  anySender: true,
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
