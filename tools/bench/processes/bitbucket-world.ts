import { createHash } from 'node:crypto';

/** How many repositories each workspace of an account has; its tokens begin with the name. */
export const ACCOUNTS: Record<string, readonly number[]> = {
  even: Array.from({ length: 10 }, () => 100),
  // Half of all in one workspace, as it is where a company has a workspace for each team and one
  // for the product.
  uneven: [550, ...Array.from({ length: 9 }, () => 50)],
};

export const BRANCHES = 1_000;
export const PULL_REQUESTS = 500;
/** Branches and pull requests of a repository whose name says `small`. */
const FEW = 3;
const SHORT_HASH = 12;

type Json = Record<string, unknown>;

/**
 * A token of an account that nobody has used before: what was read with another one serves nothing.
 */
export function newToken(account: string, number: number): string {
  return `${account}.${number}.${createHash('sha256').update(`${number}`).digest('hex')}`;
}

/** @returns undefined for a token that is none of {@link newToken} */
export function accountOf(token: string): string | undefined {
  const [account = '', number] = token.split('.');
  return account in ACCOUNTS && newToken(account, Number(number)) === token ? account : undefined;
}

/** How often a branch was pushed to. */
const pushes = new Map<string, number>();

/**
 * The commit that the n-th branch of a repository points to; another one in every repository, and
 * after every push.
 */
export function hashOf(fullName: string, branch: number): string {
  const key = `${fullName} ${branch}`;
  return createHash('sha1')
    .update(`${key} ${pushes.get(key) ?? 0}`)
    .digest('hex');
}

/** @returns the new commit of the n-th branch */
export function push(fullName: string, branch: number): string {
  const key = `${fullName} ${branch}`;
  pushes.set(key, (pushes.get(key) ?? 0) + 1);
  return hashOf(fullName, branch);
}

function countOf(fullName: string, usual: number): number {
  return fullName.includes('small') ? FEW : usual;
}

/** Of all branches. */
export function hashes(fullName: string): string[] {
  return Array.from({ length: BRANCHES }, (_, number) => hashOf(fullName, number));
}

export function branchName(number: number): string {
  return number === 0 ? 'main' : `feature/${number}`;
}

/**
 * Of the n-th branch. The newest are of the newest branches, as a rule; half of the branches have
 * none.
 */
export function branchOfPullRequest(id: number): number {
  return 1 + Math.floor(((PULL_REQUESTS - id) * (BRANCHES - 1)) / PULL_REQUESTS);
}

export function workspaces(account: string): Json[] {
  return (ACCOUNTS[account] ?? []).map((count, index) => ({
    type: 'workspace_access',
    administrator: false,
    workspace: { type: 'workspace_base', slug: `ws-${index}-${count}`, uuid: `{ws-${index}}` },
  }));
}

/** Of a workspace whose name ends in how many it has. */
export function repositories(workspace: string): Json[] {
  const count = Number(/-(\d+)$/.exec(workspace)?.[1] ?? 0);
  return Array.from({ length: count }, (_, index) => repository(`${workspace}/repo-${index}`));
}

export function repository(fullName: string): Json {
  return {
    type: 'repository',
    uuid: `{${hashOf(fullName, -1).slice(0, 32)}}`,
    name: fullName.split('/')[1],
    full_name: fullName,
    scm: 'git',
    is_private: true,
    description: 'not asked for',
    mainbranch: { type: 'branch', name: branchName(0) },
    links: {
      html: { href: `https://bitbucket.org/${fullName}` },
      clone: [
        { name: 'https', href: `https://bitbucket.org/${fullName}.git` },
        { name: 'ssh', href: `git@bitbucket.org:${fullName}.git` },
      ],
    },
  };
}

export function branch(fullName: string, number: number): Json {
  return {
    type: 'branch',
    name: branchName(number),
    target: {
      type: 'commit',
      hash: hashOf(fullName, number),
      date: '2026-11-22T10:00:00+00:00',
      parents: [{ type: 'commit', hash: hashOf(fullName, -1) }],
    },
  };
}

export function branches(fullName: string): Json[] {
  const length = countOf(fullName, BRANCHES);
  return Array.from({ length }, (_, number) => branch(fullName, number));
}

/** Open ones, newest first, with hashes of twelve digits. */
export function pullRequests(fullName: string): Json[] {
  const end = (number: number): Json => ({
    branch: { name: branchName(number) },
    commit: { hash: hashOf(fullName, number).slice(0, SHORT_HASH) },
    repository: { full_name: fullName },
  });
  const length = countOf(fullName, PULL_REQUESTS);
  return Array.from({ length }, (_, index) => {
    const id = PULL_REQUESTS - index;
    return {
      type: 'pullrequest',
      id,
      title: `Feature ${id}`,
      state: 'OPEN',
      author: { type: 'user', display_name: 'Ann Example', nickname: 'ann' },
      links: { html: { href: `https://bitbucket.org/${fullName}/pull-requests/${id}` } },
      source: end(branchOfPullRequest(id)),
      destination: end(0),
    };
  });
}

export function commit(hash: string): Json {
  return {
    type: 'commit',
    hash,
    date: '2026-11-22T10:00:00+00:00',
    message: 'work\n',
    author: { type: 'author', raw: 'Ann Example <ann@example.com>' },
    parents: [],
    links: { html: { href: `https://bitbucket.org/commits/${hash}` } },
  };
}
