import { whyNoLink } from '@cds/config';

/** The URL of a status without one of its run: Bitbucket requires a URL. */
export const DOCUMENTATION_URL = 'https://ovh.github.io/cds/';

/** Bitbucket's limit: https://github.com/jenkinsci/bitbucket-branch-source-plugin/pull/928 */
const MAX_URL = 449;

/** The URL of a run in the CDS UI; the documentation's where Bitbucket would refuse that one. */
export function statusUrl(
  uiUrl: string,
  run: { projectKey: string; workflowName: string; number: number },
): string {
  const [project, workflow] = [run.projectKey, run.workflowName].map(encodeURIComponent);
  const url = `${uiUrl.replace(/(?<!\/)\/+$/, '')}/project/${project}/workflow/${workflow}/run/${run.number}`;
  return linkOrDocumentation(url);
}

/** The URL, or the documentation's where it is empty or Bitbucket would refuse it. */
export function linkOrDocumentation(url: string): string {
  const isLink = /^https?:\/\//i.test(url) && url.length <= MAX_URL;
  return isLink && whyNoLink(url) === undefined ? url : DOCUMENTATION_URL;
}
