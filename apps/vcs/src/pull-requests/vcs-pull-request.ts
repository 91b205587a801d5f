import type { BbPullRequest, BbPullRequestEnd } from '@cds/bitbucket';
import type { VcsPullRequest, VcsPushEvent } from '@cds/wire';
import { goTime } from '../http/go-time';
import { NO_AUTHOR, toVcsAuthor, UNSIGNED } from '../repositories/vcs-author';
import { type BranchIds, toVcsBranch } from '../repositories/vcs-branch';

/** `title` and `state` stay empty, as CDS has it from its own service for Bitbucket Cloud. */
export function toVcsPullRequest(
  pullRequest: BbPullRequest,
  ids: BranchIds = 'names',
): VcsPullRequest {
  return {
    id: pullRequest.id,
    change_id: '',
    url: pullRequest.htmlUrl,
    user: toVcsAuthor(pullRequest.author),
    head: toPushEvent(pullRequest.source, ids),
    base: toPushEvent(pullRequest.destination, ids),
    title: '',
    merged: pullRequest.state === 'MERGED',
    closed: pullRequest.state === 'DECLINED' || pullRequest.state === 'SUPERSEDED',
    revision: '',
    updated: goTime(pullRequest.updatedOn),
    merge_by: NO_AUTHOR,
    state: '',
  };
}

function toPushEvent(end: BbPullRequestEnd, ids: BranchIds): VcsPushEvent {
  return {
    repo: end.repository ?? '',
    branch: toVcsBranch({ name: end.branch, hash: end.hash, parents: null }, undefined, ids),
    commit: {
      id: end.hash,
      author: NO_AUTHOR,
      committer: NO_AUTHOR,
      authorTimestamp: 0,
      message: '',
      url: '',
      ...UNSIGNED,
    },
    clone_url: '',
  };
}
