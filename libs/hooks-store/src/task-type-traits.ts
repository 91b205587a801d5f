import type { TaskType } from '@cds/wire';

/** What stores know of a task type, and do otherwise than for the rest. */
interface TaskTypeTraits {
  /** Its webhooks are pushes: of branches and tags, whose runs a cleanup may remove. */
  takesPushes?: true;
  /** Its executions bring no request that a person could look at. */
  showsNoRequest?: true;
  /** Its executions start no run; those of a poller do for a change that it found. */
  isNotReplayed?: true;
  /** The unsupported reason of hooks that are stored and listed, but not processed. */
  whyNotServed?: string;
}

const TRAITS: Partial<Record<TaskType, TaskTypeTraits>> = {
  RepoWebHook: { takesPushes: true },
  RepoPoller: { isNotReplayed: true },
  Workflow: { isNotReplayed: true },
  BranchDeletion: { isNotReplayed: true },
  OutgoingWebhook: { isNotReplayed: true },
  OutgoingWorkflow: { isNotReplayed: true, showsNoRequest: true },
  Kafka: {
    isNotReplayed: true,
    whyNotServed:
      'this service does not consume Kafka topics: let the producer call a webhook of the workflow instead',
  },
  Gerrit: {
    isNotReplayed: true,
    whyNotServed:
      'this service does not follow the events of Gerrit: use a webhook or a scheduler for this workflow instead',
  },
};

/** The traits of a task type; none for an unknown one. */
export function traitsOf(type: string): TaskTypeTraits {
  return Object.hasOwn(TRAITS, type) ? (TRAITS[type as TaskType] ?? {}) : {};
}
