import { randomUUID } from 'node:crypto';
import type { WebhookRequest } from './running-hooks';

export type Change =
  | { push: string; hash?: string; before?: string }
  | { tag: string }
  /** `hash`: of the commit that the branch led to last; that of its last push when not given. */
  | { deleted: string; hash?: string }
  | { deletedTag: string };

const author = { raw: 'Ann Example <ann@example.com>', type: 'author' };

function ref(type: 'branch' | 'tag', name: string, hash: string) {
  const target = { type: 'commit', hash, message: `work on ${name}\n`, author, parents: [] };
  return { name, type, target };
}

/**
 * Where branches and tags lead to, by the deliveries that were made: as at Bitbucket, no two
 * changes are the same.
 */
const waitingSince = new Map<string, string>();
let commits = 0;

function newHash(): string {
  commits += 1;
  return commits.toString(16).padStart(8, 'a').padEnd(40, '0');
}

function change(of: Change) {
  const nothing = { closed: false, created: false, forced: false, truncated: false };
  if ('push' in of || 'tag' in of) {
    const [type, name] = 'push' in of ? (['branch', of.push] as const) : (['tag', of.tag] as const);
    const hash = ('push' in of ? of.hash : undefined) ?? newHash();
    const before = 'push' in of ? of.before : undefined;
    waitingSince.set(`${type} ${name}`, hash);
    const old = before ? ref(type, name, before) : null;
    return { ...nothing, created: old === null, old, new: ref(type, name, hash) };
  }
  const [type, name] =
    'deleted' in of ? (['branch', of.deleted] as const) : (['tag', of.deletedTag] as const);
  const head = waitingSince.get(`${type} ${name}`);
  waitingSince.delete(`${type} ${name}`);
  const hash = ('deleted' in of ? of.hash : undefined) ?? head ?? newHash();
  return { ...nothing, closed: true, old: ref(type, name, hash), new: null };
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
