import type { BbRepository } from '@cds/bitbucket';
import type { VcsRepo } from '@cds/wire';
import type { Request } from 'express';
import { isOfVcsProject } from '../credentials/project-headers';

/**
 * Bitbucket writes the user of the token into the https link. Git gets another one for a VCS
 * project, which has a user for Git of its own: then it is left out.
 */
export function toVcsRepo(repository: BbRepository, req: Pick<Request, 'headers'>): VcsRepo {
  const { cloneHttps } = repository;
  // CDS fills the formats in as Go's `Sprintf` does: a `%` of the address itself would be taken for
  // one to fill in.
  const page = repository.htmlUrl.replaceAll('%', '%%');
  return {
    id: repository.uuid,
    name: repository.name,
    slug: repository.slug,
    fullname: repository.fullName,
    url: repository.htmlUrl,
    url_commit_format: `${page}/commits/%s`,
    url_branch_format: `${page}/src/%s`,
    url_tag_format: `${page}/src/%s`,
    url_pull_request_format: `${page}/pull-requests/%d`,
    ssh_url: repository.cloneSsh,
    http_url: isOfVcsProject(req) ? cloneHttps.replace(/^(https?:\/\/)[^/@]*@/, '$1') : cloneHttps,
  };
}
