/** The form of the uuid of a task. */
export const TASK_UUID = /^[A-Za-z0-9._=+-]{1,128}$/;

/**
 * Whether a text may be the uuid of a task: it stands in URLs, keys of Redis and ids of jobs. CDS
 * uses UUIDs for hooks and base64 for outgoing ones.
 */
export function isTaskUuid(uuid: string): boolean {
  return TASK_UUID.test(uuid);
}
