import type { BbAuthor } from '@cds/bitbucket';
import type { VcsAuthor } from '@cds/wire';

/** An author that CDS knows nothing of. */
export const NO_AUTHOR: VcsAuthor = {
  name: '',
  displayName: '',
  emailAddress: '',
  avatar: '',
  slug: '',
  id: '',
};

/** Bitbucket names nobody by `username` since 2019; what CDS shows is then the nickname. */
export function toVcsAuthor(author: BbAuthor): VcsAuthor {
  return {
    name: author.username ?? author.nickname ?? '',
    displayName: author.displayName,
    emailAddress: author.email,
    avatar: author.avatarUrl ?? '',
    slug: '',
    id: author.uuid ?? '',
  };
}

/** Bitbucket Cloud shows no signature of a commit or a tag. */
export const UNSIGNED = { verified: false, signature: '', key_id: '' };
