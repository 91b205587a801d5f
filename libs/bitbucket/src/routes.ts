import type { PathValues } from './http/urls';
import type { RepoRef } from './model';

const repo = '/repositories/{workspace}/{repo_slug}';

/**
 * Whether a call may be repeated when Bitbucket may have acted on it: `always` where that does no
 * harm, `unless-received` where it would (a second comment).
 */
export type RepeatRule = 'always' | 'unless-received';

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below apiUrl, as Bitbucket's specification writes it. */
  readonly template: string;
  readonly repeat: RepeatRule;
  /** The type of the answer; JSON when not given. */
  readonly accept?: string;
}

function read(template: string): Route {
  return { method: 'GET', template, repeat: 'always' };
}

/** Every call that the client can make; there is no other way to call than by an entry of this. */
export const routes = {
  listWorkspaces: read('/user/workspaces'),
  listRepositories: read('/repositories/{workspace}'),
  getRepository: read(repo),
  listForks: read(`${repo}/forks`),
  listRefs: read(`${repo}/refs`),
  listBranches: read(`${repo}/refs/branches`),
  getBranch: read(`${repo}/refs/branches/{name}`),
  listTags: read(`${repo}/refs/tags`),
  getTag: read(`${repo}/refs/tags/{name}`),
  listCommits: read(`${repo}/commits`),
  getCommit: read(`${repo}/commit/{commit}`),
  listStatuses: read(`${repo}/commit/{commit}/statuses`),
  // The same key is overwritten, so that a second time changes nothing.
  postStatus: {
    method: 'POST',
    template: `${repo}/commit/{commit}/statuses/build`,
    repeat: 'always',
  },
  listPullRequests: read(`${repo}/pullrequests`),
  getPullRequest: read(`${repo}/pullrequests/{pull_request_id}`),
  createPullRequest: {
    method: 'POST',
    template: `${repo}/pullrequests`,
    repeat: 'unless-received',
  },
  commentPullRequest: {
    method: 'POST',
    template: `${repo}/pullrequests/{pull_request_id}/comments`,
    repeat: 'unless-received',
  },
  // A directory is listed where the path ends in a slash.
  listSource: read(`${repo}/src/{commit}/{path}`),
  getSourceMeta: read(`${repo}/src/{commit}/{path}`),
  readSource: { ...read(`${repo}/src/{commit}/{path}`), accept: '*/*' },
  // The same report is overwritten.
  putReport: {
    method: 'PUT',
    template: `${repo}/commit/{commit}/reports/{reportId}`,
    repeat: 'always',
  },
  listHooks: read(`${repo}/hooks`),
  createHook: { method: 'POST', template: `${repo}/hooks`, repeat: 'unless-received' },
  updateHook: { method: 'PUT', template: `${repo}/hooks/{uid}`, repeat: 'always' },
  deleteHook: { method: 'DELETE', template: `${repo}/hooks/{uid}`, repeat: 'always' },
} as const satisfies Record<string, Route>;

/** Names a call in errors and the log: without any value. */
export function callName({ method, template }: Route): string {
  return `${method} ${template}`;
}

/** The values of `{workspace}` and `{repo_slug}`, and what a route needs besides. */
export function repoPath({ workspace, slug }: RepoRef, more: PathValues = {}): PathValues {
  return { workspace, repo_slug: slug, ...more };
}
