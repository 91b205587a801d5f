import type { DeliveryPlan, DeliveryToPlan } from '@cds/hooks-store';
import { MalformedWebhookError } from './payloads/malformed-delivery';
import { planMessage } from './modules/rabbitmq/plan-message';
import { planPoll } from './modules/poller/plan-poll';
import { planPush } from './modules/repository-webhook/plan-push';
import { planSchedule } from './modules/scheduler/plan-schedule';
import { planWebhook } from './modules/webhook/plan-webhook';

/**
 * What a delivery that waits has to lead to. The payload comes from the configuration at the time of the delivery;
 * which workflow runs is a matter of the configuration now.
 *
 * @throws MalformedPushError, MalformedWebhookError, MalformedScheduleError, MalformedMessageError, MalformedPollError
 */
export function planDelivery(delivery: DeliveryToPlan): DeliveryPlan {
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
