import type { BuildState } from '@cds/bitbucket';

/** A status as far as its order and its novelty go. */
export interface SentStatus {
  number: number;
  subNumber: number;
  state: BuildState;
  description: string;
  url: string;
}

/**
 * Whether a status should follow `last` at Bitbucket. Events arrive twice and out of order: what
 * belongs to an earlier run is not sent, nor what goes back from a final state within the same run,
 * nor what says the same again.
 */
export function shouldSend(last: SentStatus | undefined, next: SentStatus): boolean {
  if (!last) return true;
  const order = next.number - last.number || next.subNumber - last.subNumber;
  if (order !== 0) return order > 0;
  if (isFinal(last) && !isFinal(next)) return false;
  return (
    next.state !== last.state || next.description !== last.description || next.url !== last.url
  );
}

/** Whether nothing follows it within its run. */
export function isFinal({ state }: Pick<SentStatus, 'state'>): boolean {
  return state !== 'INPROGRESS';
}

/** Whether both tell of the same run of a node. */
export function isSameRun(one: SentStatus, other: SentStatus): boolean {
  return one.number === other.number && one.subNumber === other.subNumber;
}
