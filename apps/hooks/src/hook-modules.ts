import type { IncomingHttpHeaders } from 'node:http';
import { whyNotServed } from '@cds/hooks-store';
import { CdsError, type HookConfig, type TaskType } from '@cds/wire';
import { pollerKind } from './modules/poller/poller-module';
import { rabbitmqKind } from './modules/rabbitmq/rabbitmq-module';
import type { Kind } from './modules/hook-module';
import { scheduler } from './modules/scheduler/scheduler-module';
import type { DeliveryValidator } from './modules/incoming-delivery';
import { incomingWebhook } from './modules/incoming-webhook';
import { repositoryDeliveries } from './modules/repository-webhook/validate-delivery';
import { webhookDeliveries } from './modules/webhook/validate-delivery';

/** Kept as it came. */
const keepAsItIs: Kind['keep'] = ({ config }) => ({ method: '', config });

/** Tasks that `POST /task/execute` brings, one execution for each run that comes to the hook. */
const outgoing: Kind = { unlisted: true, inAnyOrder: true, keep: keepAsItIs };

/**
 * Every kind of task, and what is done about its hooks. How executions are worked off is in
 * `work-off-by-kind.ts`; which kinds are not served, and why, in `libs/hooks-store`, for the `engine` command, too.
 */
export const KINDS: Readonly<Record<TaskType, Kind>> = {
  RepoWebHook: { ...incomingWebhook, deliveries: repositoryDeliveries },
  Webhook: { ...incomingWebhook, deliveries: webhookDeliveries },
  // Targets of outgoing workflow hooks: the API starts their runs for those, nothing is to be done here.
  Workflow: { keep: () => ({ method: '', config: null }) },
  Scheduler: scheduler,
  RepoPoller: pollerKind,
  RabbitMQ: rabbitmqKind,
  Kafka: { keep: keepAsItIs },
  Gerrit: { keep: keepAsItIs },
  OutgoingWebhook: outgoing,
  OutgoingWorkflow: outgoing,
  BranchDeletion: { unlisted: true, keep: keepAsItIs },
};

function isKnownType(type: string): type is TaskType {
  return Object.hasOwn(KINDS, type);
}

/** Whether the API lists the tasks of this type, so that one it does not list is gone. */
export function isListedByApi(type: string): boolean {
  return !isKnownType(type) || KINDS[type].unlisted !== true;
}

const VALIDATORS = Object.values(KINDS).flatMap(({ deliveries }) => deliveries ?? []);

/** How hooks of this type take deliveries at `/webhook/{uuid}`; undefined where they take none. */
export function validatorOf(type: string): DeliveryValidator | undefined {
  return VALIDATORS.find((validator) => validator.type === type);
}

/** Of the type of hook that a delivery with such headers is most likely for; only Redis knows. */
export function likelyValidator(headers: IncomingHttpHeaders): DeliveryValidator {
  return VALIDATORS.find((validator) => validator.isLikely?.(headers)) ?? webhookDeliveries;
}

/** Whether executions of this type may overtake each other. */
export function isInAnyOrder(type: string): boolean {
  return isKnownType(type) && KINDS[type].inAnyOrder === true;
}

/** Why this task cannot be started; undefined when it can. */
export function whyNotStarted(type: string, config: HookConfig | null): string | undefined {
  if (!isKnownType(type)) return undefined;
  return whyNotServed(type) ?? KINDS[type].refusal?.(config);
}

/** @throws CdsError 501 when a task of this kind cannot be started */
export function checkStart(task: { type: TaskType; config: HookConfig | null }): void {
  const reason = whyNotStarted(task.type, task.config);
  if (reason !== undefined) {
    throw new CdsError('notImplemented', {
      from: `a task of type ${task.type} cannot be started: ${reason}`,
    });
  }
}
