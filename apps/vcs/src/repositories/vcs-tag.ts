import type { BbTag } from '@cds/bitbucket';
import type { VcsTag } from '@cds/wire';
import { NO_AUTHOR, toVcsAuthor } from './vcs-author';

/** CDS wants the commit in both `sha` and `hash`. */
export function toVcsTag(tag: BbTag): VcsTag {
  return {
    tag: tag.name,
    sha: tag.hash,
    message: tag.message,
    tagger: tag.tagger ? toVcsAuthor(tag.tagger) : NO_AUTHOR,
    hash: tag.hash,
  };
}
