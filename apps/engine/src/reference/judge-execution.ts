import type { ReferenceExecution } from './reference-records';

/** CDS's own hooks never tries it again: the branch is gone. */
const NO_BRANCH = 'branchName parameter must be provided';

/**
 * `done`: nothing is left, or it was given up. `waiting`: never tried. `under-way`: the service
 * ended meanwhile, so the result is unknown. `retry`: it failed and has tries left.
 */
export function judgeExecution(
  execution: ReferenceExecution,
  retryError: number,
): 'done' | 'waiting' | 'under-way' | 'retry' {
  const { status, processing_timestamp, nb_errors, last_error } = execution;
  const isGivenUp = nb_errors >= retryError || last_error.includes(NO_BRANCH);
  if (status === 'DOING') return isGivenUp ? 'done' : 'under-way';
  if (processing_timestamp === 0) return isGivenUp ? 'done' : nb_errors > 0 ? 'retry' : 'waiting';
  if (status === 'ENQUEUED' || last_error !== '') return isGivenUp ? 'done' : 'retry';
  return 'done';
}
