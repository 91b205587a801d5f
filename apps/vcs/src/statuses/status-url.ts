import { whyNoLink } from '@cds/config';

/** Where a status leads that cannot lead to its run; Bitbucket wants some URL. */
export const DOCUMENTATION_URL = 'https://ovh.github.io/cds/';

/**
 * Bitbucket takes shorter ones alone:
 * https://github.com/jenkinsci/bitbucket-branch-source-plugin/pull/928
 */
const MAX_URL = 449;

/**
 * A run of a workflow in the CDS UI; the documentation where Bitbucket would refuse its URL, and
 * the status with it.
 */
export function statusUrl(
  uiUrl: string,
  run: { projectKey: string; workflowName: string; number: number },
): string {
  const [project, workflow] = [run.projectKey, run.workflowName].map(encodeURIComponent);
  const url = `${uiUrl.replace(/\/+$/, '')}/project/${project}/workflow/${workflow}/run/${run.number}`;
  return url.length <= MAX_URL && whyNoLink(url) === undefined ? url : DOCUMENTATION_URL;
}
