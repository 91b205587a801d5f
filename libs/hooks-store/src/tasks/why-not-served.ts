import type { TaskType } from '@cds/wire';

/** Unsupported reasons of the hook types that are stored and listed, but not processed. */
const REASONS: Partial<Record<TaskType, string>> = {
  Kafka:
    'this service does not consume Kafka topics: let the producer call a webhook of the workflow instead',
  Gerrit:
    'this service does not follow the events of Gerrit: use a webhook or a scheduler for this workflow instead',
};

/** The unsupported reason of a hook type; undefined for supported and unknown types. */
export function whyNotServed(type: string): string | undefined {
  return Object.hasOwn(REASONS, type) ? REASONS[type as TaskType] : undefined;
}
