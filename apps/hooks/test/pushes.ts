import { randomUUID } from 'node:crypto';
import type { WebhookRequest } from './harness';

export type Change =
  | { push: string; hash?: string; before?: string }
  | { tag: string }
  | { deleted: string }
  | { deletedTag: string };

const author = { raw: 'Ann Example <ann@example.com>', type: 'author' };

function ref(type: 'branch' | 'tag', name: string, hash: string) {
  const target = { type: 'commit', hash, message: `work on ${name}\n`, author, parents: [] };
  return { name, type, target };
}

function change(of: Change, index: number) {
  const hash = (index + 1).toString(16).padStart(40, 'a');
  const nothing = { closed: false, created: false, forced: false, truncated: false };
  if ('push' in of) {
    const old = of.before ? ref('branch', of.push, of.before) : null;
    return { ...nothing, created: old === null, old, new: ref('branch', of.push, of.hash ?? hash) };
  }
  if ('tag' in of) return { ...nothing, created: true, old: null, new: ref('tag', of.tag, hash) };
  if ('deleted' in of) {
    return { ...nothing, closed: true, old: ref('branch', of.deleted, hash), new: null };
  }
  return { ...nothing, closed: true, old: ref('tag', of.deletedTag, hash), new: null };
}

/** A delivery of Bitbucket Cloud for one `git push` of these changes. */
export function pushDelivery(...changes: Change[]): WebhookRequest {
  return {
    headers: bitbucketHeaders('repo:push'),
    body: JSON.stringify({
      push: { changes: changes.map(change) },
      actor: { type: 'user', display_name: 'Ann Example', nickname: 'ann' },
      repository: { type: 'repository', name: 'Repo 0', full_name: 'jdoe/repo-0' },
    }),
  };
}

/** The headers of a delivery, new with each call: what is sent twice is to be the same object. */
export function bitbucketHeaders(event: string): Record<string, string> {
  return {
    'Content-Type': 'application/json',
    'User-Agent': 'Bitbucket-Webhooks/2.0',
    'X-Event-Key': event,
    'X-Hook-UUID': '61b72a24-b0d0-43e1-a0ae-76c66ad781d3',
    'X-Request-UUID': randomUUID(),
    'X-Attempt-Number': '1',
  };
}
