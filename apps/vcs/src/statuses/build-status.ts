import type { BuildState, NewStatus } from '@cds/bitbucket';
import type { BuildEvent } from './build-event';
import { shorten, shortenDistinct } from '../http/shorten';
import { statusKey } from './status-key';
import { DOCUMENTATION_URL, statusUrl } from './status-url';
import { STATUS_NAME_PREFIX } from './vcs-commit-status';

/** Bitbucket's limit: https://github.com/jenkinsci/bitbucket-branch-source-plugin/pull/928 */
const MAX_TEXT = 254;

/** Statuses of a node without a meaning for the commit. */
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

/** Makes the build status of an event; undefined for an event without one. */
export function buildStatus(
  { projectKey, workflowName, node }: BuildEvent,
  { uiUrl, showDetail, sendSkipped }: BuildStatusOptions,
): NewStatus | undefined {
  if (NOT_SENT.includes(node.Status)) return undefined;
  if (node.Status === 'Skipped' && !sendSkipped) return undefined;
  const name = `${STATUS_NAME_PREFIX}${projectKey}-${workflowName}-${node.NodeName}`;
  const run = { projectKey, workflowName, number: node.Number };
  const statusWord = shorten(node.Status, 40);
  const nodeName = shorten(node.NodeName, MAX_TEXT - statusWord.length - 2);
  return {
    key: statusKey(name),
    name: shortenDistinct(name, MAX_TEXT),
    state: STATES[node.Status] ?? 'INPROGRESS',
    description: `${nodeName}: ${statusWord}`,
    url: showDetail ? statusUrl(uiUrl, run) : DOCUMENTATION_URL,
    // Shows the status on the pull request of the branch. Half of a name names another branch.
    ...(node.BranchName === '' || node.BranchName.length > MAX_TEXT
      ? {}
      : { refname: node.BranchName }),
  };
}
