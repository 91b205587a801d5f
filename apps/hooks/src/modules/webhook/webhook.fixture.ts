import type { Validation } from '../incoming-delivery';
import type { WebhookDelivery } from './plan-webhook';
import { validateWebhookDelivery } from './webhook-module';

/** Validates the delivery that `planWebhook` plans, sent with the method of its hook. */
export function validatePlanned(delivery: WebhookDelivery): Validation {
  const { config, query, contentType, body } = delivery;
  return validateWebhookDelivery({
    method: config.method?.value ?? '',
    query,
    headers: { 'content-type': contentType },
    body,
  });
}
