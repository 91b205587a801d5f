import { MalformedExecutionError } from '../../payloads/malformed-execution';
import type { DeliveryValidator, IncomingDelivery, Validation } from '../incoming-delivery';
import { checkPush } from './plan-push';
import { readPushDelivery } from './push-delivery';

/**
 * Hosts with a header of their own. Forgejo, Gitea and Gogs also send the headers of the hosts
 * below them here.
 */
const SENDERS = [
  ['x-forgejo-event', 'Forgejo'],
  ['x-gitea-event', 'Gitea'],
  ['x-gogs-event', 'Gogs'],
  ['x-gitlab-event', 'GitLab'],
  ['x-github-event', 'GitHub'],
] as const;

/**
 * Bitbucket Server (Data Center) uses Cloud's header with keys of its own
 * (https://confluence.atlassian.com/bitbucketserver/event-payload-938025882.html).
 */
const SERVER_EVENTS =
  /^(pr|proj|mirror|diagnostics):|^repo:(refs_changed|modified|forked|secret_detected|comment:.*)$|^project:modified$/;

/** The families of Bitbucket Cloud's events. It may add keys to them. */
const CLOUD_EVENTS = /^(repo|pullrequest|issue|pipeline|project):./;

export const repositoryDeliveries: DeliveryValidator = {
  type: 'RepoWebHook',
  validate: validateRepositoryDelivery,
  isLikely: (headers) => headers['x-event-key'] !== undefined,
};

/**
 * Validates a delivery to a repository webhook. Only the body of a `repo:push` is read.
 *
 * @returns `accept` only where `planPush` can plan the body; `ignore` for other events of Bitbucket
 *   Cloud
 */
export function validateRepositoryDelivery({
  headers,
  body,
}: Pick<IncomingDelivery, 'headers' | 'body'>): Validation {
  const host = SENDERS.find(([header]) => headers[header] !== undefined);
  if (host) return foreign(host[1]);

  const event = String(headers['x-event-key'] ?? '').trim();
  if (event === '') {
    return refuse(
      'the header X-Event-Key is missing: every delivery of Bitbucket Cloud carries it',
    );
  }
  if (SERVER_EVENTS.test(event)) return foreign('Bitbucket Server');
  if (!CLOUD_EVENTS.test(event)) {
    return refuse(
      `the header X-Event-Key holds ${JSON.stringify(event.slice(0, 100))}, ` +
        'which is no event of Bitbucket Cloud',
    );
  }
  return event === 'repo:push'
    ? validatePush(body)
    : { kind: 'ignore', event: event.slice(0, 100) };
}

/** The Content-Type is not read, since a proxy may drop it. */
function validatePush(body: Buffer): Validation {
  try {
    const { changes, unreadable } = checkPush(readPushDelivery(body.toString('utf8')));
    return { kind: 'accept', changes, ...(unreadable.length > 0 ? { unreadable } : {}) };
  } catch (error) {
    if (error instanceof MalformedExecutionError) return refuse(error.message);
    throw error;
  }
}

function foreign(sender: string): Validation {
  return refuse(
    `this is a delivery of ${sender}: this service takes those of Bitbucket Cloud alone`,
  );
}

function refuse(reason: string): Validation {
  return { kind: 'refuse', reason };
}
