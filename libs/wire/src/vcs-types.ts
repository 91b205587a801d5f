/** A VCS server, as `GET /vcs` and `GET /vcs/{name}` list it. */
export interface VcsServer {
  type: string;
  username: string;
  password: string;
  url: string;
  sshport: number;
}

export interface VcsAuthorize {
  /** The unguessable `state`. */
  token: string;
  url: string;
}

/** Body and answer of `POST /vcs/{name}/authorize`: first state and code, then access and refresh token. */
export interface VcsAuthorization {
  token: string;
  secret: string;
}

export interface VcsWebhooksInfo {
  webhooks_supported: boolean;
  webhooks_disabled: boolean;
  webhooks_creation_supported: boolean;
  webhooks_creation_disabled: boolean;
  webhooks_icon: string;
  gerrithook_disabled: boolean;
  events: string[];
}

export interface VcsPollingInfo {
  polling_supported: boolean;
  polling_disabled: boolean;
}

export interface VcsRepo {
  id: string;
  name: string;
  slug: string;
  fullname: string;
  url: string;
  http_url: string;
  ssh_url: string;
}

export interface VcsBranch {
  id: string;
  display_id: string;
  latest_commit: string;
  default: boolean;
  parents: string[] | null;
}

export interface VcsAuthor {
  name: string;
  displayName: string;
  emailAddress: string;
  avatar: string;
}

export interface VcsCommit {
  id: string;
  author: VcsAuthor;
  /** Milliseconds. */
  authorTimestamp: number;
  message: string;
  url: string;
}

export interface VcsTag {
  tag: string;
  sha: string;
  message: string;
  tagger: VcsAuthor;
  hash: string;
}

export interface VcsPushEvent {
  repo: string;
  branch: VcsBranch;
  commit: VcsCommit;
  clone_url: string;
}

/** What `GET …/events` answers. The API hands the events back, unread, to `POST …/events?filter=`. */
export interface VcsEvents {
  events: unknown[];
  /** Nanoseconds until the API should be asked again. */
  delay: number;
}

/** What `POST …/events?filter=delete` makes of an event. */
export interface VcsDeleteEvent {
  branch: VcsBranch;
}

/** What `POST …/events?filter=pullrequests` makes of an event. */
export interface VcsPullRequestEvent {
  action: string;
  url: string;
  repo: string;
  user: VcsAuthor;
  head: VcsPushEvent;
  base: VcsPushEvent;
  branch: VcsBranch;
}

export interface VcsPullRequest {
  id: number;
  url: string;
  user: VcsAuthor;
  head: VcsPushEvent;
  base: VcsPushEvent;
  title: string;
  merged: boolean;
  closed: boolean;
}

export interface VcsHook {
  id: string;
  name: string;
  events: string[] | null;
  method: string;
  url: string;
  content_type: string;
  body: string;
  disable: boolean;
  insecure_ssl: boolean;
  workflow: boolean;
}

export interface VcsCommitStatus {
  ref: string;
  created_at: string;
  state: string;
  description: string;
}
