import { createHash } from 'node:crypto';

const PREFIX = 'cdsbb:vcs:';

/** Hash of `hooks`, as {@link vcsKeys.state}; here since `vcs` reads its owners. */
export const HOOKS_STATE_KEY = 'cdsbb:hooks:state';

/** A run of a workflow. */
export interface RunOfTrace {
  project: string;
  workflow: string;
  number: number;
}

/** String: the W3C trace context in which `hooks` asked for this run; a day. `vcs` reads it. */
export const runTraceKey = ({ project, workflow, number }: RunOfTrace): string =>
  `cdsbb:hooks:run-trace:${sha256(JSON.stringify([project, workflow, number]))}`;

/** Every Redis key of `vcs`; in a library since the engine reads some of them. */
export const vcsKeys = {
  /** Hash: the owners of the state (`owner:…` → when it was seen last, ms), and its format. */
  state: `${PREFIX}state`,

  /** Never exists: `/mon/ready` tests writes with it. */
  ready: `${PREFIX}ready`,

  /** String: another value every second while a `vcs` is registered with the API; 10 s. */
  alive: `${PREFIX}alive`,

  /**
   * Sorted set: fingerprints of the hashes that the API gave to a service of this name → when it
   * did last (ms). The newest 50 of 400 days.
   */
  hashes: (name: string) => `${PREFIX}hashes:${name}`,

  /**
   * Sorted set: fingerprints of the keys with which the API signed its calls → when it told the key
   * last (ms). The newest 50 of 400 days. Of all names: each replica has another.
   */
  signingKeys: `${PREFIX}signing-keys`,

  /** What the names of all grants begin with. */
  grantPrefix: `${PREFIX}grant:`,

  /**
   * String: a grant, encrypted; 100 days after its last use. The API knows a project by the refresh
   * token of its linking for ever, so that token names the grant, although it is used up.
   */
  grant: (firstRefreshToken: string) => `${PREFIX}grant:${sha256(firstRefreshToken)}`,

  /** Hash: minute of Redis's clock → calls that Bitbucket counts together; an hour. */
  calls: (consumer: Consumer) => `${PREFIX}calls:${consumerId(consumer)}`,

  /** String: seconds to wait after a 429; 15 minutes. */
  rateLimited: (consumer: Consumer) => `${PREFIX}rate-limited:${consumerId(consumer)}`,

  /** String: the last build status that was sent of this key, on this commit (JSON); 30 days. */
  sentStatus: (server: string, repository: string, hash: string, key: string) =>
    `${PREFIX}status:${sha256(JSON.stringify([server, repository, hash, key]))}`,

  /**
   * Hash: key of a build status → what was sent of it last on this commit (JSON), for operators who
   * ask what became of a push; 30 days.
   */
  statusesOfCommit: (repository: string, hash: string) =>
    `${PREFIX}statuses:${sha256(JSON.stringify([repository.toLowerCase(), hash]))}`,

  /** Sorted set: ids of unfinished statuses → when the API is asked about each next (ms). */
  unfinished: `${PREFIX}unfinished`,

  /** String: the record of one of them (JSON); seven days. */
  unfinishedStatus: (id: string) => `${PREFIX}unfinished:${id}`,

  /** Hash: URL of a webhook of ours → what is known of it (JSON); 100 days. */
  webhooks: (repository: string) => `${PREFIX}webhooks:${repository}`,

  /** Sorted set: URL prefixes of our webhooks → when one was used last (ms). The newest 20. */
  webhookUrlPrefixes: `${PREFIX}webhook-urls`,

  /**
   * String: the webhooks of a repository were checked; a day. It contains the fingerprint of the
   * webhook key, so that a new key need not wait for tomorrow.
   */
  webhooksChecked: (keyFingerprint: string, repository: string) =>
    `${PREFIX}webhooks-looked-at:${keyFingerprint}:${repository}`,

  /** String: a webhook to add by hand (JSON), by the uuid of its hook. */
  manualWebhook: (uuid: string) => `${PREFIX}manual-webhook:${uuid}`,

  /** Hash: `version` and `snapshot` (JSON) of a polled repository; 30 days. */
  snapshot: (repositoryId: string) => `${PREFIX}polled:${repositoryId}`,

  /** Stream: the newest 5,000 events of a polled repository; 30 days. */
  events: (repositoryId: string) => `${PREFIX}events:${repositoryId}`,

  /** String: held by the process that works on `id`, which may be a key. */
  lock: (id: string) => `${PREFIX}lock:${id}`,

  /** Names the lock under which a webhook is written, by an upsert or a repair. */
  webhookLockId: (repository: string, uuid: string) => `${PREFIX}hook:${repository}:${uuid}`,
} as const;

/** Whose calls one Bitbucket counts together. */
interface Consumer {
  apiUrl: string;
  /** An OAuth consumer's, or what names a user or an access token without a secret. */
  clientId: string;
}

function consumerId({ apiUrl, clientId }: Consumer): string {
  return sha256(JSON.stringify([apiUrl, clientId])).slice(0, 32);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
