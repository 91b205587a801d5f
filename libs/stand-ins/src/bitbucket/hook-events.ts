/** Every event that a repository's webhook can be subscribed to. */
export const REPOSITORY_EVENTS = [
  'issue:comment_created',
  'issue:created',
  'issue:updated',
  'pipeline:span_created',
  'project:updated',
  'pullrequest:approved',
  'pullrequest:changes_request_created',
  'pullrequest:changes_request_removed',
  'pullrequest:comment_created',
  'pullrequest:comment_deleted',
  'pullrequest:comment_reopened',
  'pullrequest:comment_resolved',
  'pullrequest:comment_updated',
  'pullrequest:created',
  'pullrequest:fulfilled',
  'pullrequest:push',
  'pullrequest:rejected',
  'pullrequest:unapproved',
  'pullrequest:updated',
  'repo:commit_comment_created',
  'repo:commit_status_created',
  'repo:commit_status_updated',
  'repo:created',
  'repo:deleted',
  'repo:fork',
  'repo:imported',
  'repo:push',
  'repo:transfer',
  'repo:updated',
] as const;

const SCOPES: Record<string, string> = {
  issue: 'issue',
  pipeline: 'pipeline',
  project: 'project',
  pullrequest: 'pullrequest',
  repo: 'repository',
};

/** The scope that a grant needs, beside `webhook`, to subscribe to an event. */
export function scopeOfEvent(event: string): string {
  return SCOPES[event.split(':')[0] ?? ''] ?? 'repository';
}
