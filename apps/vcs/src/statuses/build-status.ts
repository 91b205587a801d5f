import type { BuildEvent } from './build-event';
import { buildState } from './build-state';
import { MAX_TEXT, shorten, shortenDistinct } from '../http/shorten';
import type { ReportedBuild } from './reported-build';
import { statusKey } from './status-key';
import { DOCUMENTATION_URL, statusUrl } from './status-url';
import { STATUS_NAME_PREFIX } from './vcs-commit-status';

export interface BuildStatusOptions {
  uiUrl: string;
  /** Link to the run instead of CDS's documentation. */
  showDetail: boolean;
  /** CDS sends Skipped since 0.42. */
  sendSkipped: boolean;
}

/** Makes the build status of an event; undefined for an event without one. */
export function buildOfEvent(
  { projectKey, workflowName, node }: BuildEvent,
  { uiUrl, showDetail, sendSkipped }: BuildStatusOptions,
): ReportedBuild | undefined {
  const state = buildState(node.Status);
  if (state === undefined || (node.Status === 'Skipped' && !sendSkipped)) return undefined;
  const name = `${STATUS_NAME_PREFIX}${projectKey}-${workflowName}-${node.NodeName}`;
  const run = { projectKey, workflowName, number: node.Number };
  return {
    repository: node.RepositoryFullName,
    hash: node.Hash,
    status: {
      key: statusKey(name),
      name: shortenDistinct(name, MAX_TEXT),
      state,
      description: describeBuild(node.NodeName, node.Status),
      url: showDetail ? statusUrl(uiUrl, run) : DOCUMENTATION_URL,
      // Shows the status on the pull request of the branch. Half of a name names another branch.
      ...(node.BranchName === '' || node.BranchName.length > MAX_TEXT
        ? {}
        : { refname: node.BranchName }),
    },
    run: { number: node.Number, subNumber: node.SubNumber },
    node: {
      project: projectKey,
      workflow: workflowName,
      number: node.Number,
      node: node.NodeName,
      branch: node.BranchName,
    },
  };
}

/** `node: Status`, as CDS writes it. */
export function describeBuild(node: string, status: string): string {
  const statusWord = shorten(status, 40);
  return `${shorten(node, MAX_TEXT - statusWord.length - 2)}: ${statusWord}`;
}
