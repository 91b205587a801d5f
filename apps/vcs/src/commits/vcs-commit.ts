import type { BbCommit } from '@cds/bitbucket';
import type { VcsCommit } from '@cds/wire';
import { NO_AUTHOR, toVcsAuthor, UNSIGNED } from '../repositories/vcs-author';

export function toVcsCommit(commit: BbCommit): VcsCommit {
  return {
    id: commit.hash,
    author: toVcsAuthor(commit.author),
    committer: NO_AUTHOR,
    authorTimestamp: milliseconds(commit.date),
    message: commit.message,
    url: commit.htmlUrl,
    ...UNSIGNED,
  };
}

/** CDS has a number there always: 0 where there is no date. */
function milliseconds(date: string): number {
  const time = Date.parse(date);
  return Number.isNaN(time) ? 0 : time;
}
