import { BitbucketApiError } from './api-error';
import { commitRange, isAncestor, resolveRevision } from './commit-graph';
import type { Account, Repository, Tag } from './model';
import { addCommit } from './repository-store';
import type { FileChanges } from './source-tree';

/** What one `git push` does to one ref. */
export type RefChange =
  | { type: 'branch'; name: string; before: string | null; after: string | null; forced: boolean }
  | { type: 'tag'; name: string; before: Tag | null; after: Tag | null };

export interface Push {
  branch: string;
  /** Message of each new commit. */
  message?: string | undefined;
  /** How many commits; 0 makes a branch at its start point. */
  commits?: number | undefined;
  /** Where a new branch starts: a branch, a tag or a hash. The main branch by default. */
  from?: string | undefined;
  /** The files that the newest commit changes. */
  files?: FileChanges | undefined;
}

/** Adds commits to a branch, which is created where it does not exist. */
export function pushCommits(repository: Repository, author: Account, push: Push): RefChange {
  const before = repository.branches.get(push.branch) ?? null;
  const start = before ?? resolveRevision(repository, push.from ?? repository.mainBranch).hash;
  const count = push.commits ?? 1;
  if (before && count === 0) throw new BitbucketApiError(400, `Nothing to push to ${push.branch}`);
  const after = addCommits(repository, author, start, { ...push, count });
  moveBranch(repository, push.branch, after);
  return { type: 'branch', name: push.branch, before, after, forced: false };
}

/** Replaces the last commit of a branch by another one. */
export function forcePushCommit(
  repository: Repository,
  author: Account,
  push: Pick<Push, 'branch' | 'message'>,
): RefChange {
  const before = existingBranch(repository, push.branch);
  const [parent] = repository.commits.get(before)?.parents ?? [];
  const message = push.message ?? 'Change it in another way\n';
  const after = addCommit(repository, { parents: parent ? [parent] : [], message, author }).hash;
  moveBranch(repository, push.branch, after);
  return { type: 'branch', name: push.branch, before, after, forced: true };
}

/** @throws BitbucketApiError 400 for the main branch, 404 for one that is not there. */
export function removeBranch(repository: Repository, name: string): RefChange {
  const before = existingBranch(repository, name);
  if (name === repository.mainBranch)
    throw new BitbucketApiError(400, `The main branch ${name} cannot be deleted`);
  repository.branches.delete(name);
  return { type: 'branch', name, before, after: null, forced: false };
}

export interface NewTag {
  tag: string;
  target?: string | undefined;
  /** Makes an annotated tag. */
  message?: string | undefined;
}

export function addTag(repository: Repository, tagger: Account, asked: NewTag): RefChange {
  if (repository.tags.has(asked.tag))
    throw new BitbucketApiError(400, `The tag ${asked.tag} already exists`);
  const { hash, date } = resolveRevision(repository, asked.target ?? repository.mainBranch);
  const after: Tag = {
    name: asked.tag,
    target: hash,
    ...(asked.message === undefined
      ? {}
      : { annotation: { message: asked.message, date, tagger } }),
  };
  repository.tags.set(asked.tag, after);
  return { type: 'tag', name: asked.tag, before: null, after };
}

/** @throws BitbucketApiError 404 */
export function removeTag(repository: Repository, name: string): RefChange {
  const before = repository.tags.get(name);
  if (!before) throw new BitbucketApiError(404, `No such tag: ${name}`);
  repository.tags.delete(name);
  return { type: 'tag', name, before, after: null };
}

/**
 * The commits that a push of a branch brings, newest first: all of the history for a new branch.
 */
export function commitsOf(
  repository: Repository,
  change: RefChange & { type: 'branch' },
): ReturnType<typeof commitRange> {
  if (change.after === null) return [];
  const known = change.before === null || change.forced ? [] : [change.before];
  const isForward = change.before !== null && isAncestor(repository, change.before, change.after);
  return commitRange(repository, [change.after], isForward ? known : []);
}

function existingBranch(repository: Repository, name: string): string {
  const hash = repository.branches.get(name);
  if (hash === undefined) throw new BitbucketApiError(404, `No such branch: ${name}`);
  return hash;
}

function addCommits(
  repository: Repository,
  author: Account,
  start: string,
  { count, message = 'Change something\n', files }: Push & { count: number },
): string {
  let head = start;
  for (let left = count; left > 0; left -= 1)
    head = addCommit(repository, {
      ...{ parents: [head], message, author },
      files: left === 1 ? files : undefined,
    }).hash;
  return head;
}

/** Open pull requests follow their source branch. */
function moveBranch(repository: Repository, name: string, hash: string): void {
  repository.branches.set(name, hash);
  for (const { state, source } of repository.pullRequests)
    if (state === 'OPEN' && source.fullName === repository.fullName && source.branch === name)
      source.hash = hash;
}
