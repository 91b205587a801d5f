import type { PathValues } from '../http/urls';
import type { RepoRef } from '../model';

/** The values of `{workspace}` and `{repo_slug}`, and what a route needs besides. */
export function repoPath(repo: RepoRef, more: PathValues = {}): PathValues {
  return { workspace: repo.workspace, repo_slug: repo.slug, ...more };
}
