/**
 * From what a webhook received to what has to be done for it. Pure functions: no clock, no network, no
 * Redis; the same input always gives the same plan, so a delivery can be planned again after a crash.
 */
export { canonicalHeaders } from './canonical-headers';
export { judgeRepositoryDelivery } from './judge-repository-delivery';
export {
  MalformedMessageError,
  MalformedPollError,
  MalformedPushError,
  MalformedScheduleError,
  MalformedWebhookError,
  isMalformedDelivery,
} from './malformed-delivery';
export { planMessage } from './plan-message';
export { checkPollPayload, planPoll } from './plan-poll';
export { planPush } from './plan-push';
export { planSchedule } from './plan-schedule';
export { judgeWebhookDelivery, planWebhook, type WebhookDelivery } from './plan-webhook';
export { isDecodableQuery } from './query-string';
export type {
  DeliveryPlan,
  DeliveryStep,
  DeliveryVerdict,
  JudgedChanges,
  PushChange,
  RefChange,
  WebhookVerdict,
} from './types';
