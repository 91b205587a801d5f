/**
 * Keys of the hooks of CDS 0.40 to 0.43 in Redis, database 0: a sorted set of members, and each
 * member's JSON in a string whose key is the set's, a colon, and the member. Nothing expires.
 */
export const REFERENCE_TASKS = 'hooks:tasks';

/** The sorted set of the timestamps (ns) of a task's executions. */
export function referenceExecutions(type: string, uuid: string): string {
  return `${REFERENCE_TASKS}:executions:${type}:${uuid}`;
}

/** The JSON of a member of a set. */
export function memberKey(set: string, member: string): string {
  return `${set}:${member}`;
}
