import { CdsError, type HookConfig, type TaskType } from '@cds/wire';
import type { Kind } from './kind';
import { incomingWebhook } from './webhook-kinds';

/** Kept as it came. */
const keepAsItIs: Kind['keep'] = ({ config }) => ({ method: '', config });

function notServed(reason: string): Kind {
  return { notServed: reason, keep: keepAsItIs };
}

/** Tasks that `POST /task/execute` brings, one execution for each run that comes to the hook. */
const outgoing: Kind = { unlisted: true, inAnyOrder: true, keep: keepAsItIs };

const NOT_YET =
  'hooks of this type are kept, but nothing is done for them yet: workflows that use them do not start by themselves';

/** Every kind of task, and what is done about its hooks. How executions are worked off is in `work-off-by-kind.ts`. */
export const KINDS: Readonly<Record<TaskType, Kind>> = {
  RepoWebHook: incomingWebhook,
  Webhook: incomingWebhook,
  // Targets of outgoing workflow hooks: the API starts their runs for those, nothing is to be done here.
  Workflow: { keep: () => ({ method: '', config: null }) },
  Scheduler: notServed(NOT_YET),
  RepoPoller: notServed(NOT_YET),
  RabbitMQ: notServed(NOT_YET),
  Kafka: notServed(
    'this service does not consume Kafka topics: let the producer call a webhook of the workflow instead',
  ),
  Gerrit: notServed(
    'this service does not follow the events of Gerrit: use a webhook or a scheduler for this workflow instead',
  ),
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

/** Whether executions of this type may overtake each other. */
export function isInAnyOrder(type: string): boolean {
  return isKnownType(type) && KINDS[type].inAnyOrder === true;
}

/** Why no hook of this type is served; undefined when they are. */
export function whyNotServed(type: string): string | undefined {
  return isKnownType(type) ? KINDS[type].notServed : undefined;
}

/** Why this task cannot be started; undefined when it can. */
export function whyNotStarted(type: string, config: HookConfig | null): string | undefined {
  if (!isKnownType(type)) return undefined;
  return KINDS[type].notServed ?? KINDS[type].refusal?.(config);
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
