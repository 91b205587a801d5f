import type { BitbucketError } from '@cds/bitbucket';
import type { VcsProject } from './project-headers';

/** Beginnings of tokens, by which Atlassian tells them apart. */
const API_TOKEN = 'ATATT';
const ACCESS_TOKEN = 'ATCTT';
const APP_PASSWORD = 'ATBB';

const AGAIN = 'import the VCS project again';

type Credential = Pick<VcsProject, 'user' | 'token' | 'part'>;

/** What to do about a 401, after Bitbucket's own words. */
export function adviceOnUnauthorized(project: Credential, refusal: BitbucketError): string {
  const advice = isOfTheCallAlone(project, refusal)
    ? NAME_THE_WORKSPACE
    : project.user === undefined
      ? onAccessToken(project)
      : onApiToken(project.user, project.token);
  return `(bitbucketcloud_error) ${refusal.bitbucketMessage}: ${advice}`;
}

const NAME_THE_WORKSPACE =
  'an access token belongs to no user, so that its workspace cannot be asked for: write the address of what the token is for into the url of the VCS project, https://bitbucket.org/WORKSPACE, https://bitbucket.org/WORKSPACE/workspace/projects/KEY or https://bitbucket.org/WORKSPACE/REPOSITORY';

/** Whether a 401 is about what was asked, and not about the token. */
export function isOfTheCallAlone({ user }: Credential, { call }: BitbucketError): boolean {
  return user === undefined && call === 'GET /user/workspaces';
}

function onAccessToken({ token }: Credential): string {
  if (token.startsWith(API_TOKEN))
    return `the token is an API token: ${AGAIN} with the e-mail address of its Atlassian account as the user name, in place of x-token-auth`;
  return `the access token of the workspace, project or repository was revoked, has expired or is for another one: create a new one and ${AGAIN}`;
}

function onApiToken(user: string, token: string): string {
  if (token.startsWith(APP_PASSWORD))
    return `app passwords ended in July 2026: create an API token and ${AGAIN}, with the e-mail address of the Atlassian account as the user name`;
  if (token.startsWith(ACCESS_TOKEN))
    return `the token is an access token: ${AGAIN} with x-token-auth as the user name`;
  if (!user.includes('@'))
    return `the user name is not an e-mail address: ${AGAIN} with that of the Atlassian account, not with the user name at Bitbucket, and with an API token, not an app password`;
  return `the API token has expired (after a year at most), was revoked, or is of another Atlassian account than the user name: create a new one and ${AGAIN}`;
}

/** What to do about a 403, where Bitbucket says which scopes are missing. */
export function adviceOnForbidden(
  { user }: Credential,
  { status, call, bitbucketMessage }: BitbucketError,
): string | undefined {
  if (status !== 403) return undefined;
  const missing = missingScopes(bitbucketMessage);
  if (user === undefined && call === 'GET /repositories/{workspace}' && missing.length === 0)
    return 'the access token may not list its workspace: write the address of the project or repository that it is for into the url of the VCS project, https://bitbucket.org/WORKSPACE/workspace/projects/KEY or https://bitbucket.org/WORKSPACE/REPOSITORY';
  const kind = user === undefined ? 'access token' : 'API token';
  if (missing.length > 0)
    return `the ${kind} lacks ${missing.join(', ')}: scopes cannot be added to one, so create another with them and ${AGAIN}`;
  return `the ${kind} may not do this: give ${user === undefined ? 'it' : 'its user'} access at Bitbucket, or create another with more scopes and ${AGAIN}`;
}

/** Those required that are not granted, of Bitbucket's `required: a, b; granted: c`. */
function missingScopes(message: string): string[] {
  const [, required = ''] = /\brequired: ([\w:, -]+)/.exec(message) ?? [];
  const [, granted = ''] = /\bgranted: ([\w:, -]+)/.exec(message) ?? [];
  const has = new Set(listed(granted));
  return listed(required).filter((scope) => !has.has(scope));
}

function listed(text: string): string[] {
  return text.split(',').flatMap((one) => one.trim() || []);
}
