import type { BuildState, NewStatus } from '@cds/bitbucket';
import { whyNoLink } from '@cds/config';
import { MAX_TEXT, shorten, shortenDistinct } from '../http/shorten';

/** A build that CDS reported, as a status for Bitbucket. */
export interface ReportedBuild {
  /** `workspace/slug` */
  repository: string;
  hash: string;
  status: NewStatus;
  run: ReportedRun;
  /** What to ask the API for, to learn how the build ended; absent where it cannot be asked. */
  node?: ReportedNode | undefined;
}

/** What tells the runs of one build apart, as far as CDS says it. */
export interface ReportedRun {
  /** The number of the workflow run; 0 where CDS does not say. */
  number: number;
  /** The number of the node's run within the workflow run; 0 where CDS does not say. */
  subNumber: number;
  /** Where the number is not known, what names the run: its URL, or ''. */
  name?: string;
  /** Whether the same run may begin anew, without another `subNumber`: CDS 0.54 and later. */
  restarts?: boolean;
}

/** A node of a workflow run. */
export interface ReportedNode {
  project: string;
  workflow: string;
  number: number;
  node: string;
  branch: string;
}

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

/** Bitbucket answers 400 to longer keys. */
const MAX_KEY = 40;

/** The key of a status at Bitbucket: its name, shortened with a hash where it is too long. */
export function statusKey(name: string): string {
  return shortenDistinct(name, MAX_KEY);
}

/** The URL of a status without one of its run: Bitbucket requires a URL. */
export const DOCUMENTATION_URL = 'https://ovh.github.io/cds/';

/** Bitbucket's limit: https://github.com/jenkinsci/bitbucket-branch-source-plugin/pull/928 */
const MAX_URL = 449;

/** The URL of a run in the CDS UI; the documentation's where Bitbucket would refuse that one. */
export function statusUrl(uiUrl: string, node: ReportedNode): string {
  const [project, workflow] = [node.project, node.workflow].map(encodeURIComponent);
  const ui = uiUrl.replace(/(?<!\/)\/+$/, '');
  return linkOrDocumentation(`${ui}/project/${project}/workflow/${workflow}/run/${node.number}`);
}

/** The URL, or the documentation's where it is empty or Bitbucket would refuse it. */
export function linkOrDocumentation(url: string): string {
  const isLink = /^https?:\/\//i.test(url) && url.length <= MAX_URL;
  return isLink && whyNoLink(url) === undefined ? url : DOCUMENTATION_URL;
}

/** `node: Status`, as CDS writes it. */
export function describeBuild(node: string, status: string): string {
  const statusWord = shorten(status, 40);
  return `${shorten(node, MAX_TEXT - statusWord.length - 2)}: ${statusWord}`;
}
