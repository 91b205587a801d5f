/** The form of a task's uuid. */
export const TASK_UUID = /^[A-Za-z0-9._=+-]{1,128}$/;

/**
 * Whether a text may be a task's uuid, which is part of URLs, Redis keys and job ids. CDS uses
 * UUIDs for hooks and base64 for outgoing ones.
 */
export function isTaskUuid(uuid: string): boolean {
  return TASK_UUID.test(uuid);
}
