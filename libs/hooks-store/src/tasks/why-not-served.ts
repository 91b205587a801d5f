import type { TaskType } from '@cds/wire';

/**
 * Kinds of tasks that are kept and listed, and for which nothing is done: why, for the operator to
 * read.
 */
const REASONS: Partial<Record<TaskType, string>> = {
  Kafka:
    'this service does not consume Kafka topics: let the producer call a webhook of the workflow instead',
  Gerrit:
    'this service does not follow the events of Gerrit: use a webhook or a scheduler for this workflow instead',
};

/** Why no hook of this type is served; undefined when they are, and for types that nobody knows. */
export function whyNotServed(type: string): string | undefined {
  return Object.hasOwn(REASONS, type) ? REASONS[type as TaskType] : undefined;
}
