import type { IncomingHttpHeaders } from 'node:http';
import type { DeliveryToPlan, DeliveryPlan } from '@cds/hooks-store';
import { branchCleanup } from './modules/branch-cleanup/branch-cleanup-module';
import type { HookModule } from './modules/hook-module';
import type { DeliveryValidator } from './modules/incoming-delivery';
import { outgoing } from './modules/outgoing/outgoing-module';
import { poller } from './modules/poller/poller-module';
import { rabbitmq } from './modules/rabbitmq/rabbitmq-module';
import { repositoryWebhook } from './modules/repository-webhook/repository-webhook-module';
import { scheduler } from './modules/scheduler/scheduler-module';
import { unsupported, workflowTarget } from './modules/unsupported/unsupported-module';
import { webhook, webhookDeliveries } from './modules/webhook/webhook-module';
import { MalformedExecutionError } from './payloads/malformed-execution';

export const HOOK_MODULES: readonly HookModule[] = [
  repositoryWebhook,
  webhook,
  scheduler,
  poller,
  rabbitmq,
  outgoing,
  branchCleanup(planDelivery),
  workflowTarget,
  unsupported,
];

const BY_TYPE = new Map<string, HookModule>(
  HOOK_MODULES.flatMap((module) => module.types.map((type) => [type, module] as const)),
);

const VALIDATORS = HOOK_MODULES.flatMap(({ deliveries }) => deliveries ?? []);

/** The module of a hook type; undefined for an unknown one. */
export function moduleOf(type: string): HookModule | undefined {
  return BY_TYPE.get(type);
}

/** A guess by headers, before Redis answers with the hook type. */
export function likelyValidator(headers: IncomingHttpHeaders): DeliveryValidator {
  return VALIDATORS.find(({ isLikely }) => isLikely?.(headers)) ?? webhookDeliveries;
}

/**
 * The payload comes from the configuration at the time of the delivery, the workflow from the
 * current one.
 *
 * @throws MalformedExecutionError
 */
export function planDelivery(delivery: DeliveryToPlan): DeliveryPlan {
  const { type, execution, unreadable } = delivery;
  if (unreadable !== undefined) throw new MalformedExecutionError(unreadable);
  // Changes that a poll finds for a repository webhook are planned like those of a poller.
  const module = execution.poll ? poller : moduleOf(execution.webhook ? type : execution.type);
  if (!module?.plan) throw new MalformedExecutionError('the execution holds no request');
  return module.plan(delivery);
}
