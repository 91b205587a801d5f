import type { BbStatus } from '@cds/bitbucket';
import type { VcsCommitStatus } from '@cds/wire';
import { goTime } from '../http/go-time';

/** The prefix of the names of CDS's statuses before CDS 0.54; that CDS must not see others. */
export const STATUS_NAME_PREFIX = 'CDS/';

/** The part of a name that CDS compares for a VCS project of Bitbucket Cloud. */
const COMPARED = 36;

/** Bitbucket's states → CDS's. */
const STATES: Readonly<Record<string, string>> = {
  SUCCESSFUL: 'Success',
  FAILED: 'Fail',
  STOPPED: 'Stopped',
};

/** As CDS, and this service, describe a build. */
const SKIPPED = /: ?Skipped$/;

/**
 * The API compares `description` with the names of its statuses, and does not send finished ones
 * again: so it is the name, also where the key is shortened.
 * @param revision as the API asked for it
 * @param names `whole`: those with `CDS/`; `beginnings`: the part that is compared, of all names
 */
export function toVcsCommitStatuses(
  statuses: readonly BbStatus[],
  revision: string,
  names: 'whole' | 'beginnings',
): VcsCommitStatus[] {
  if (names === 'whole')
    return statuses
      .filter(({ name }) => name.startsWith(STATUS_NAME_PREFIX))
      .map((status) => toVcsCommitStatus(status, revision, status.name));
  const counts = new Map<string, number>();
  for (const { name } of statuses)
    counts.set(beginning(name), (counts.get(beginning(name)) ?? 0) + 1);
  return statuses.map((status) => {
    // The API takes the first of several: it would not send the end of one for that of another.
    const isOne = counts.get(beginning(status.name)) === 1;
    return toVcsCommitStatus(status, revision, isOne ? beginning(status.name) : status.name);
  });
}

/** A skipped build is successful at Bitbucket: CDS would send it again and again. */
function stateOf({ state, description }: BbStatus): string {
  if (state === 'SUCCESSFUL' && SKIPPED.test(description)) return 'Skipped';
  return STATES[state] ?? 'Building';
}

function beginning(name: string): string {
  return name.slice(0, COMPARED);
}

function toVcsCommitStatus(
  status: BbStatus,
  revision: string,
  description: string,
): VcsCommitStatus {
  return {
    ref: revision,
    created_at: goTime(status.createdOn),
    state: stateOf(status),
    description,
  };
}
