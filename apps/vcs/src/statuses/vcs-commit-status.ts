import type { BbStatus } from '@cds/bitbucket';
import type { VcsCommitStatus } from '@cds/wire';

/** The prefix of the names of CDS's statuses; CDS must not see others. */
export const STATUS_NAME_PREFIX = 'CDS/';

/** Bitbucket's states → CDS's. */
const STATES: Readonly<Record<string, string>> = {
  SUCCESSFUL: 'Success',
  FAILED: 'Fail',
  STOPPED: 'Stopped',
};

export function isCdsStatus(status: BbStatus): boolean {
  return status.name.startsWith(STATUS_NAME_PREFIX);
}

/**
 * The API compares `description` with the names of its statuses, and does not send finished ones
 * again: so it is the whole name, also where the key is shortened.
 * @param revision as the API asked for it
 */
export function toVcsCommitStatus(status: BbStatus, revision: string): VcsCommitStatus {
  return {
    ref: revision,
    created_at: goTime(status.createdOn),
    state: STATES[status.state] ?? 'Building',
    description: status.name,
  };
}

/** Bitbucket writes UTC as `+00:00`; Go writes `Z`, without zeros at the end of the fraction. */
function goTime(date: string): string {
  return date.replace(/(?:\.0+|(\.\d*?[1-9])0*)?(?:\+00:00|Z)$/, '$1Z');
}
