import { createHash } from 'node:crypto';

/** BullMQ's ids must hold no colon and must not be all digits. */
export function hookJobId(uuid: string): string {
  return `drain-${uuid}`;
}

export function cleanupJobId(id: string): string {
  return `cleanup-${id}`;
}

export function cleanupGroupJobId(ids: readonly string[]): string {
  return `cleanups-${createHash('sha256').update(ids.join()).digest('hex')}`;
}

export function isHookJobId(jobId: string): boolean {
  return jobId.startsWith('drain-');
}
