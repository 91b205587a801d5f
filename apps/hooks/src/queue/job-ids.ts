import { createHash } from 'node:crypto';

/** One job for each hook that has work. BullMQ's ids must hold no colon and must not be all digits. */
export function hookJobId(uuid: string): string {
  return `drain-${uuid}`;
}

/** One job for each scheduled cleanup. */
export function cleanupJobId(id: string): string {
  return `cleanup-${id}`;
}

/** One job for some that are due together. */
export function cleanupGroupJobId(ids: readonly string[]): string {
  return `cleanups-${createHash('sha256').update(ids.join()).digest('hex')}`;
}

export function isHookJobId(jobId: string): boolean {
  return jobId.startsWith('drain-');
}
