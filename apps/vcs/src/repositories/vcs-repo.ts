import type { BbRepository } from '@cds/bitbucket';
import type { VcsRepo } from '@cds/wire';

export function toVcsRepo(repository: BbRepository): VcsRepo {
  return {
    id: repository.uuid,
    name: repository.name,
    slug: repository.slug,
    fullname: repository.fullName,
    url: repository.htmlUrl,
    http_url: repository.cloneHttps,
    ssh_url: repository.cloneSsh,
  };
}
