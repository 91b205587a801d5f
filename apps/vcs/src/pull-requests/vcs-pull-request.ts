import type { BbPullRequest, BbPullRequestEnd } from '@cds/bitbucket';
import type { VcsPullRequest, VcsPushEvent } from '@cds/wire';
import { NO_AUTHOR, toVcsAuthor } from '../repositories/vcs-author';
import { toVcsBranch } from '../repositories/vcs-branch';

/** `title` stays empty, as CDS has it from its own service for Bitbucket Cloud. */
export function toVcsPullRequest(pullRequest: BbPullRequest): VcsPullRequest {
  return {
    id: pullRequest.id,
    url: pullRequest.htmlUrl,
    user: toVcsAuthor(pullRequest.author),
    head: toPushEvent(pullRequest.source),
    base: toPushEvent(pullRequest.destination),
    title: '',
    merged: pullRequest.state === 'MERGED',
    closed: pullRequest.state === 'DECLINED' || pullRequest.state === 'SUPERSEDED',
  };
}

function toPushEvent(end: BbPullRequestEnd): VcsPushEvent {
  return {
    repo: end.repository ?? '',
    branch: toVcsBranch({ name: end.branch, hash: end.hash, parents: null }, undefined),
    commit: { id: end.hash, author: NO_AUTHOR, authorTimestamp: 0, message: '', url: '' },
    clone_url: '',
  };
}
