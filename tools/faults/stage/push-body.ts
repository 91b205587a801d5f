import type { Change } from '../checker/history';

const AUTHOR = { raw: 'Ann Example <ann@example.com>', type: 'author' };

/** The body of a `repo:push` delivery of Bitbucket Cloud, with what the services read of it. */
export function pushBody(repository: string, changes: Change[]): string {
  const [, slug = ''] = repository.split('/');
  return JSON.stringify({
    push: { changes: changes.map(changeOf) },
    repository: { type: 'repository', name: slug, full_name: repository, scm: 'git' },
    actor: { type: 'user', display_name: 'Ann Example', nickname: 'ann' },
  });
}

function changeOf(change: Change): object {
  const nothing = { closed: false, created: false, forced: false, truncated: false };
  if (change.kind === 'deletion')
    return {
      ...{ ...nothing, closed: true, new: null },
      old: branchOf(change.branch, change.hash ?? 'd'.repeat(40)),
    };
  const old = change.before === undefined ? null : branchOf(change.branch, change.before);
  return { ...nothing, created: old === null, old, new: branchOf(change.branch, change.hash) };
}

function branchOf(name: string, hash: string): object {
  const message = `work on ${name}\n`;
  return {
    name,
    type: 'branch',
    target: { type: 'commit', hash, message, author: AUTHOR, parents: [] },
  };
}
