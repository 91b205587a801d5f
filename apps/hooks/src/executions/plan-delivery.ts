import { type DeliveryPlan, planPush, planWebhook } from '../payloads';
import type { Head } from './delivery-store';

/**
 * What a delivery that waits has to lead to. The payload comes from the configuration at the time of the delivery;
 * which workflow runs is a matter of the configuration now.
 *
 * @throws MalformedPushError, MalformedWebhookError
 */
export function planDelivery(delivery: Pick<Head, 'type' | 'execution'>): DeliveryPlan {
  const { config, webhook } = delivery.execution;
  const body = Buffer.from(webhook.request_body, 'base64');
  if (delivery.type === 'RepoWebHook') return planPush(body);
  return planWebhook({
    config: config ?? {},
    query: webhook.request_url,
    contentType: webhook.request_header['Content-Type']?.[0] ?? '',
    body,
  });
}
