import type { RepoRef } from '@cds/bitbucket';
import { CdsError } from '@cds/wire';

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

const REF = /^refs\/(heads|tags)\/(?=.)/;

/** The name of a branch or a tag, which CDS's workflows as code write as `refs/heads/NAME`. */
export function refName(ref: string): string {
  return ref.replace(REF, '');
}
