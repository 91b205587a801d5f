import type { BuildState, NewStatus } from '@cds/bitbucket';
import type { BuildEvent } from './build-event';
import { statusKey } from './status-key';
import { STATUS_NAME_PREFIX } from './vcs-commit-status';

/** Where a status leads when `showDetail` is off; Bitbucket wants some URL. */
const NO_DETAIL_URL = 'https://ovh.github.io/cds/';

/** Statuses of a node that say nothing about the commit. */
const NOT_SENT = ['Checking', 'Disabled', 'Never Built', 'Unknown', 'Waiting'];

const STATES: Readonly<Record<string, BuildState>> = {
  Fail: 'FAILED',
  Success: 'SUCCESSFUL',
  Skipped: 'SUCCESSFUL',
  Stopped: 'STOPPED',
};

export interface BuildStatusOptions {
  uiUrl: string;
  /** Link to the run instead of CDS's documentation. */
  showDetail: boolean;
  /** CDS sends Skipped since 0.42. */
  sendSkipped: boolean;
}

/** The status that an event means for its commit; undefined when it means none. */
export function buildStatus(
  { projectKey, workflowName, node }: BuildEvent,
  { uiUrl, showDetail, sendSkipped }: BuildStatusOptions,
): NewStatus | undefined {
  if (NOT_SENT.includes(node.Status)) return undefined;
  if (node.Status === 'Skipped' && !sendSkipped) return undefined;
  const name = `${STATUS_NAME_PREFIX}${projectKey}-${workflowName}-${node.NodeName}`;
  const runUrl = `${uiUrl.replace(/\/+$/, '')}/project/${projectKey}/workflow/${workflowName}/run/${node.Number}`;
  return {
    key: statusKey(name),
    name,
    state: STATES[node.Status] ?? 'INPROGRESS',
    description: `${node.NodeName}: ${node.Status}`,
    url: showDetail ? runUrl : NO_DETAIL_URL,
    // By it Bitbucket shows the status on the pull request of the branch.
    ...(node.BranchName === '' ? {} : { refname: node.BranchName }),
  };
}
