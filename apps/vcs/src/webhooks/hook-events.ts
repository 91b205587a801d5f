import { CdsError } from '@cds/wire';

/** What CDS subscribes to when it names no events: the only one that starts workflows. */
export const DEFAULT_EVENTS = ['repo:push'];

/** The events that CDS is offered, in the order of its own service. */
export const OFFERED_EVENTS = [
  'pullrequest:unapproved',
  'issue:comment_created',
  'pullrequest:approved',
  'repo:created',
  'repo:deleted',
  'repo:imported',
  'pullrequest:comment_updated',
  'issue:updated',
  'project:updated',
  'pullrequest:comment_created',
  'repo:commit_status_updated',
  'pullrequest:updated',
  'issue:created',
  'repo:fork',
  'pullrequest:comment_deleted',
  'repo:commit_status_created',
  'repo:updated',
  'pullrequest:rejected',
  'pullrequest:fulfilled',
  'repo:push',
  'pullrequest:created',
  'repo:transfer',
  'repo:commit_comment_created',
];

/** Events that Bitbucket Cloud has since, and that may be asked for by name. */
const NEWER_EVENTS = [
  'pipeline:span_created',
  'pullrequest:changes_request_created',
  'pullrequest:changes_request_removed',
  'pullrequest:comment_reopened',
  'pullrequest:comment_resolved',
  'pullrequest:push',
];

const KNOWN_EVENTS = new Set([...OFFERED_EVENTS, ...NEWER_EVENTS]);

/**
 * `repo:push` when none are named. @throws CdsError 400 naming those that Bitbucket does not have
 */
export function effectiveEvents(events: readonly string[] | null): string[] {
  if (!events || events.length === 0) return [...DEFAULT_EVENTS];
  const unknown = events.filter((event) => !KNOWN_EVENTS.has(event));
  if (unknown.length > 0)
    throw new CdsError('wrongRequest', {
      from: `Bitbucket Cloud has no webhook event ${unknown.map((event) => `"${event}"`).join(', ')}: correct the eventFilter of the hook; GET …/webhooks lists the events`,
    });
  return [...new Set(events)];
}
