import type { BbTag } from '@cds/bitbucket';
import type { VcsTag } from '@cds/wire';
import { toVcsAuthor, UNSIGNED } from './vcs-author';

/** CDS wants the commit in both `sha` and `hash`. Without a tagger it shows the author. */
export function toVcsTag(tag: BbTag): VcsTag {
  return {
    tag: tag.name,
    sha: tag.hash,
    message: tag.message,
    tagger: toVcsAuthor(tag.tagger ?? tag.author),
    hash: tag.hash,
    ...UNSIGNED,
  };
}
