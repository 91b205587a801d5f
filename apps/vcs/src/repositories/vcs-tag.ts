import type { BbTag } from '@cds/bitbucket';
import type { VcsTag } from '@cds/wire';
import { toVcsAuthor } from './vcs-author';

/**
 * CDS wants the commit in both `sha` and `hash`; a tag without a tagger shows the author of its
 * commit.
 */
export function toVcsTag(tag: BbTag): VcsTag {
  return {
    tag: tag.name,
    sha: tag.hash,
    message: tag.message,
    tagger: toVcsAuthor(tag.tagger ?? tag.author),
    hash: tag.hash,
  };
}
