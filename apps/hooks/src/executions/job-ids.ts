/** One job for each hook that has work. BullMQ's ids must hold no colon and must not be all digits. */
export function drainJobId(uuid: string): string {
  return `drain-${uuid}`;
}

/** One job for each scheduled cleanup. */
export function cleanupJobId(id: string): string {
  return `cleanup-${id}`;
}

export function isDrainJobId(jobId: string): boolean {
  return jobId.startsWith('drain-');
}
