import type { BuildState } from '@cds/bitbucket';

/** The parts of a status that decide whether it is sent. */
export interface SentStatus {
  number: number;
  subNumber: number;
  state: BuildState;
  description: string;
  url: string;
}

/**
 * Whether a status should follow `last` at Bitbucket. Events arrive twice and out of order: no
 * status of an earlier run is sent, none that is not final after a final one, no repetition.
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

/** Whether it is the last status of its run. */
export function isFinal({ state }: Pick<SentStatus, 'state'>): boolean {
  return state !== 'INPROGRESS';
}

/** Whether both are of the same run of a node. */
export function isSameRun(one: SentStatus, other: SentStatus): boolean {
  return one.number === other.number && one.subNumber === other.subNumber;
}
