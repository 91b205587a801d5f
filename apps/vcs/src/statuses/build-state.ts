import type { BuildState } from '@cds/bitbucket';

/** Statuses of CDS without a meaning for the commit. */
const NOT_SENT = ['', 'Checking', 'Disabled', 'Never Built', 'Unknown', 'Waiting'];

const STATES: Readonly<Record<string, BuildState>> = {
  Fail: 'FAILED',
  Success: 'SUCCESSFUL',
  Skipped: 'SUCCESSFUL',
  Stopped: 'STOPPED',
  Cancelled: 'STOPPED',
};

/** Bitbucket's state for a status of CDS; undefined for one that is not sent. */
export function buildState(status: string): BuildState | undefined {
  return NOT_SENT.includes(status) ? undefined : (STATES[status] ?? 'INPROGRESS');
}
