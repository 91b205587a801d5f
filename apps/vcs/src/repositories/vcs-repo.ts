import type { BbRepository } from '@cds/bitbucket';
import type { VcsRepo } from '@cds/wire';

/** CDS fills the formats in as Go's `Sprintf` does. */
export function toVcsRepo(repository: BbRepository): VcsRepo {
  // A `%` of the address itself would be taken for one to fill in.
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
    http_url: repository.cloneHttps,
    ssh_url: repository.cloneSsh,
  };
}
