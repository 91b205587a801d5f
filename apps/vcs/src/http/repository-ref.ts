import type { RepoRef } from '@cds/bitbucket';
import { CdsError } from '@cds/wire';
import type { Request } from 'express';

/** The repository that the route's `{owner}` and `{repo}` name. */
export function repoOf(req: Request): RepoRef {
  const { owner, repo } = req.params;
  return { workspace: String(owner), slug: String(repo) };
}

/** The repository of a full name `workspace/slug`. @throws CdsError 400 for any other form. */
export function repoFromFullName(fullName: string): RepoRef {
  const [workspace, slug, ...rest] = fullName.split('/');
  if (!workspace || !slug || rest.length > 0)
    throw new CdsError('wrongRequest', {
      from: `"${fullName}" is no repository: write it as workspace/slug`,
    });
  return { workspace, slug };
}

/** `workspace/slug`. */
export function fullNameOf(repo: RepoRef): string {
  return `${repo.workspace}/${repo.slug}`;
}
