import {
  type DeliveryPlan,
  MalformedWebhookError,
  planMessage,
  planPoll,
  planPush,
  planSchedule,
  planWebhook,
} from '../payloads';
import type { Head } from './delivery-types';

/**
 * What a delivery that waits has to lead to. The payload comes from the configuration at the time of the delivery;
 * which workflow runs is a matter of the configuration now.
 *
 * @throws MalformedPushError, MalformedWebhookError, MalformedScheduleError, MalformedMessageError, MalformedPollError
 */
export function planDelivery(
  delivery: Pick<Head, 'type' | 'execution' | 'body' | 'unreadable'>,
): DeliveryPlan {
  if (delivery.unreadable !== undefined) throw new MalformedWebhookError(delivery.unreadable);
  const { type, config, webhook, rabbitmq, poll } = delivery.execution;
  if (poll) return planPoll({ type, config: config ?? {}, poll });
  if (type === 'Scheduler') return planSchedule(config ?? {});
  if (type === 'RabbitMQ') return planMessage(Buffer.from(rabbitmq?.message ?? '', 'base64'));
  if (!webhook) throw new MalformedWebhookError('the execution holds no request');
  const { body } = delivery;
  if (delivery.type === 'RepoWebHook') return planPush(body, delivery.execution);
  return planWebhook({
    config: config ?? {},
    query: webhook.request_url,
    contentType: webhook.request_header['Content-Type']?.[0] ?? '',
    body: Buffer.from(body as string),
  });
}
