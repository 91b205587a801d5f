import type { NodeHook } from '@cds/wire';
import { nodeHook } from './node-hooks';

const AUTHOR = {
  name: 'ann',
  displayName: 'Ann Example',
  emailAddress: 'ann@example.com',
  avatar: '',
};

/** A Git Repository Poller as the API posts it. */
export function pollerHook(change: Partial<Record<string, string>> = {}): NodeHook {
  return nodeHook('Git Repository Poller', {
    payload: '{}',
    project: 'PROJ',
    repoFullName: 'jdoe/repo-0',
    vcsServer: 'bitbucketcloud',
    workflow: 'wf3',
    workflow_id: '3',
    ...change,
  });
}

/** A push as the API tells of it. */
export function pushEvent(branch: string, hash: string, change: { repo?: string } = {}) {
  return {
    repo: 'jdoe/repo-0',
    branch: { id: branch, display_id: branch, latest_commit: hash, default: false, parents: null },
    commit: {
      id: hash,
      author: AUTHOR,
      authorTimestamp: 1_795_343_649_000,
      message: `work on ${branch}`,
      url: '',
    },
    clone_url: '',
    ...change,
  };
}

/** An answer to a poll; what is left out is null, as Go writes empty lists. */
export function events(of: {
  pushes?: unknown[];
  creates?: unknown[];
  deleted?: string[];
  waitingSince?: unknown[];
}) {
  const branch = (name: string) => ({ ...pushEvent(name, '').branch });
  return {
    push_events: of.pushes ?? null,
    create_events: of.creates ?? null,
    delete_events: of.deleted?.map((name) => ({ branch: branch(name) })) ?? null,
    pullrequest_events:
      of.waitingSince?.map((head) => ({ action: 'opened', url: '', repo: 'jdoe/repo-0', head })) ??
      null,
  };
}

/** A whole hash of this digit. */
export const hash = (digit: string) => digit.repeat(40);
