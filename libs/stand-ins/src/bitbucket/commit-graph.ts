import type { Commit, Repository } from './model';
import { BitbucketApiError } from './api-error';

/** The commits that can be reached from `heads`, these included. */
export function reachable(repository: Repository, heads: Iterable<string>): Set<string> {
  const seen = new Set<string>();
  const open = [...heads];
  for (let hash = open.pop(); hash !== undefined; hash = open.pop()) {
    if (seen.has(hash)) continue;
    seen.add(hash);
    open.push(...(repository.commits.get(hash)?.parents ?? []));
  }
  return seen;
}

/** What is reachable from `include` and not from `exclude`, newest first. */
export function commitRange(
  repository: Repository,
  include: string[],
  exclude: string[],
): Commit[] {
  const left = reachable(repository, exclude);
  return [...reachable(repository, include)]
    .filter((hash) => !left.has(hash))
    .map((hash) => repository.commits.get(hash))
    .filter((commit): commit is Commit => commit !== undefined)
    .sort((a, b) => b.sequence - a.sequence);
}

/** Whether `descendant` has `ancestor` in its history. */
export function isAncestor(repository: Repository, ancestor: string, descendant: string): boolean {
  return reachable(repository, [descendant]).has(ancestor);
}

/**
 * The commit that a branch, a tag, a hash or the beginning of one names.
 * @throws BitbucketApiError 404 when there is none, 400 when several hashes begin so.
 */
export function resolveRevision(repository: Repository, revision: string): Commit {
  const named = repository.branches.get(revision) ?? repository.tags.get(revision)?.target;
  const whole = repository.commits.get(named ?? revision);
  if (whole) return whole;

  const matches = /^[0-9a-f]{4,39}$/.test(revision)
    ? [...repository.commits.values()].filter(({ hash }) => hash.startsWith(revision))
    : [];
  if (matches.length > 1) throw new BitbucketApiError(400, `Ambiguous commit hash: ${revision}`);
  const [match] = matches;
  if (match) return match;
  throw new BitbucketApiError(404, 'Commit not found', { data: { shas: [revision] } });
}
