import type { RefChange } from '@cds/hooks-store';
import type { IncomingHttpHeaders } from 'node:http';
import { MalformedPushError } from '../../payloads/malformed-delivery';
import { checkPush } from './plan-push';

/** What a delivery to a repository webhook is, judged by its headers and body. */
export type DeliveryVerdict =
  /** `unreadable` says what is wrong with the changes that are left out. */
  | { kind: 'push'; changes: RefChange[]; unreadable?: readonly string[] }
  /** Another event of Bitbucket Cloud: answered 200, kept as ignored. */
  | { kind: 'ignored'; event: string }
  /** From another host; `sender` names it. */
  | { kind: 'foreign'; sender: string }
  /** `reason` says what is wrong, for the sender to read. */
  | { kind: 'malformed'; reason: string };

/**
 * Hosts that name themselves in a header of their own. Forgejo, Gitea and Gogs also send the headers of those
 * below them here, for the sake of receivers written for those.
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

/**
 * The families of Bitbucket Cloud's events. Keys it may add to them are ignored like those it has; a key of
 * no family is nothing that Bitbucket Cloud sends.
 */
const CLOUD_EVENTS = /^(repo|pullrequest|issue|pipeline|project):./;

/**
 * Judges a delivery to a repository webhook before anything of it is kept.
 *
 * @param headers names in lower case, as Node has them
 * @param body the raw body; read for `repo:push` alone
 * @returns `push` only when {@link planPush} can plan the body
 */
export function judgeRepositoryDelivery(
  headers: IncomingHttpHeaders,
  body: Buffer,
): DeliveryVerdict {
  const host = SENDERS.find(([header]) => headers[header] !== undefined);
  if (host) return { kind: 'foreign', sender: host[1] };

  const event = String(headers['x-event-key'] ?? '').trim();
  if (event === '') {
    return malformed(
      'the header X-Event-Key is missing: every delivery of Bitbucket Cloud carries it',
    );
  }
  if (SERVER_EVENTS.test(event)) return { kind: 'foreign', sender: 'Bitbucket Server' };
  if (!CLOUD_EVENTS.test(event)) {
    return malformed(
      `the header X-Event-Key holds ${JSON.stringify(event.slice(0, 100))}, which is no event of Bitbucket Cloud`,
    );
  }
  return event === 'repo:push' ? judgePush(body) : { kind: 'ignored', event: event.slice(0, 100) };
}

/** The body alone counts: a proxy that drops the Content-Type shall not cost a push. */
function judgePush(body: Buffer): DeliveryVerdict {
  try {
    const { changes, unreadable } = checkPush(body);
    return { kind: 'push', changes, ...(unreadable.length > 0 ? { unreadable } : {}) };
  } catch (error) {
    if (error instanceof MalformedPushError) return malformed(error.message);
    throw error;
  }
}

function malformed(reason: string): DeliveryVerdict {
  return { kind: 'malformed', reason };
}
