import * as z from 'zod';

/** A VCS server, as `GET /vcs` and `GET /vcs/{name}` list it. */
export const vcsServerSchema = z
  .object({
    type: z.string(),
    username: z.string(),
    password: z.string().describe('Always empty.'),
    url: z.string(),
    sshport: z.int(),
  })
  .meta({ id: 'VcsServer' });
export type VcsServer = z.infer<typeof vcsServerSchema>;

export const vcsAuthorizeSchema = z
  .object({
    token: z.string().describe('The unguessable `state`.'),
    url: z.string().describe('Where to send the user.'),
  })
  .meta({ id: 'VcsAuthorize' });
export type VcsAuthorize = z.infer<typeof vcsAuthorizeSchema>;

/** Answer of `POST /vcs/{name}/authorize`. */
export const vcsAuthorizationSchema = z
  .object({
    token: z.string().describe('The access token.'),
    secret: z.string().describe('The refresh token.'),
  })
  .meta({ id: 'VcsAuthorization' });
export type VcsAuthorization = z.infer<typeof vcsAuthorizationSchema>;

export const vcsWebhooksInfoSchema = z
  .object({
    webhooks_supported: z.boolean(),
    webhooks_disabled: z.boolean(),
    webhooks_creation_supported: z.boolean(),
    webhooks_creation_disabled: z.boolean(),
    webhooks_icon: z.string(),
    gerrithook_disabled: z.boolean(),
    events: z.array(z.string()),
  })
  .meta({ id: 'VcsWebhooksInfo' });
export type VcsWebhooksInfo = z.infer<typeof vcsWebhooksInfoSchema>;

export const vcsPollingInfoSchema = z
  .object({ polling_supported: z.boolean(), polling_disabled: z.boolean() })
  .meta({ id: 'VcsPollingInfo' });
export type VcsPollingInfo = z.infer<typeof vcsPollingInfoSchema>;

export const vcsRepoSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    slug: z.string(),
    fullname: z.string().describe('`workspace/slug`'),
    url: z.string(),
    url_commit_format: z.string().describe('With `%s` for the hash.'),
    url_branch_format: z.string().describe('With `%s` for the name.'),
    url_tag_format: z.string().describe('With `%s` for the name.'),
    url_pull_request_format: z.string().describe('With `%d` for the number.'),
    http_url: z.string().describe('To clone over https.'),
    ssh_url: z.string(),
  })
  .meta({ id: 'VcsRepo' });
export type VcsRepo = z.infer<typeof vcsRepoSchema>;

export const vcsBranchSchema = z
  .object({
    id: z.string().describe('`refs/heads/NAME` for a VCS project, else the name.'),
    display_id: z.string().describe('The name.'),
    latest_commit: z.string(),
    default: z.boolean(),
    parents: z.array(z.string()).nullable(),
  })
  .meta({ id: 'VcsBranch' });
export type VcsBranch = z.infer<typeof vcsBranchSchema>;

export const vcsAuthorSchema = z
  .object({
    name: z.string(),
    displayName: z.string(),
    emailAddress: z.string(),
    avatar: z.string(),
    slug: z.string().describe('Always empty: Bitbucket Cloud has none.'),
    id: z.string().describe('The uuid of the account, where there is one.'),
  })
  .meta({ id: 'VcsAuthor' });
export type VcsAuthor = z.infer<typeof vcsAuthorSchema>;

/** Bitbucket Cloud shows no signature of a commit or a tag; `repositories` reads them by git. */
const unsigned = {
  verified: z.boolean().describe('Always false.'),
  signature: z.string().describe('Always empty.'),
  key_id: z.string().describe('Always empty.'),
};

export const vcsCommitSchema = z
  .object({
    id: z.string(),
    author: vcsAuthorSchema,
    committer: vcsAuthorSchema,
    authorTimestamp: z.int().describe('Milliseconds since 1970.'),
    message: z.string(),
    url: z.string(),
    ...unsigned,
  })
  .meta({ id: 'VcsCommit' });
export type VcsCommit = z.infer<typeof vcsCommitSchema>;

export const vcsTagSchema = z
  .object({
    tag: z.string(),
    sha: z.string().describe('The commit, as `hash`.'),
    message: z.string(),
    tagger: vcsAuthorSchema,
    hash: z.string(),
    ...unsigned,
  })
  .meta({ id: 'VcsTag' });
export type VcsTag = z.infer<typeof vcsTagSchema>;

/** One end of a pull request. */
export const vcsPushEventSchema = z
  .object({
    repo: z.string(),
    branch: vcsBranchSchema,
    commit: vcsCommitSchema,
    clone_url: z.string(),
  })
  .meta({ id: 'VcsPushEvent' });
export type VcsPushEvent = z.infer<typeof vcsPushEventSchema>;

export const vcsPullRequestSchema = z
  .object({
    id: z.int(),
    change_id: z.string().describe('Always empty: of Gerrit.'),
    url: z.string(),
    user: vcsAuthorSchema,
    head: vcsPushEventSchema,
    base: vcsPushEventSchema,
    title: z.string(),
    merged: z.boolean(),
    closed: z.boolean(),
    revision: z.string().describe('Always empty: of Gerrit.'),
    updated: z.string().describe('RFC 3339.'),
    merge_by: vcsAuthorSchema,
    state: z.string().describe('Always empty: see `merged` and `closed`.'),
  })
  .meta({ id: 'VcsPullRequest' });
export type VcsPullRequest = z.infer<typeof vcsPullRequestSchema>;

/** Answer of `GET …/events`. The API hands the events back unread: `POST …/events?filter=`. */
export const vcsEventsSchema = z
  .object({
    events: z.array(z.unknown()).describe('To be handed back as they are.'),
    delay: z.number().describe('Nanoseconds until the API should ask again.'),
  })
  .meta({ id: 'VcsEvents' });
export type VcsEvents = z.infer<typeof vcsEventsSchema>;

/** What `POST …/events?filter=delete` makes of an event. */
export const vcsDeleteEventSchema = z
  .object({ branch: vcsBranchSchema })
  .meta({ id: 'VcsDeleteEvent' });
export type VcsDeleteEvent = z.infer<typeof vcsDeleteEventSchema>;

/** What `POST …/events?filter=pullrequests` makes of an event. */
export const vcsPullRequestEventSchema = z
  .object({
    action: z.string(),
    url: z.string(),
    repo: z.string(),
    user: vcsAuthorSchema,
    head: vcsPushEventSchema,
    base: vcsPushEventSchema,
    branch: vcsBranchSchema,
  })
  .meta({ id: 'VcsPullRequestEvent' });
export type VcsPullRequestEvent = z.infer<typeof vcsPullRequestEventSchema>;

export const vcsHookSchema = z
  .object({
    id: z
      .string()
      .describe('Of the webhook at Bitbucket; empty when a person has to add it there.'),
    name: z.string(),
    events: z.array(z.string()).nullable(),
    method: z.string(),
    url: z.string(),
    content_type: z.string(),
    body: z.string(),
    disable: z.boolean(),
    insecure_ssl: z.boolean(),
    workflow: z.boolean(),
  })
  .meta({ id: 'VcsHook' });
export type VcsHook = z.infer<typeof vcsHookSchema>;

export const vcsCommitStatusSchema = z
  .object({
    ref: z.string(),
    created_at: z.string().describe('RFC 3339.'),
    state: z.string(),
    description: z
      .string()
      .describe('The name of the status; for a VCS project its first 36 characters.'),
  })
  .meta({ id: 'VcsCommitStatus' });
export type VcsCommitStatus = z.infer<typeof vcsCommitStatusSchema>;

/** A file or a directory of a commit. CDS names the fields as in Go. */
export const vcsContentSchema = z
  .object({
    Name: z.string().describe('Without the directory that it is in.'),
    IsDirectory: z.boolean(),
    IsFile: z.boolean(),
    Content: z.string().describe('The text of the file; empty in a list.'),
  })
  .meta({ id: 'VcsContent' });
export type VcsContent = z.infer<typeof vcsContentSchema>;
