import { commonSections, identity } from './common-sections';
import { section, unusedAndUnprinted } from './section';
import {
  address,
  boolean,
  httpUrl,
  integer,
  networks,
  oneOf,
  password,
  secret,
  secrets,
  targets,
} from './value-types';

const DAY = 86_400;
/** Longer pauses are a mistake in the unit. */
const YEAR = 365 * DAY;

/** Whether deliveries have to be signed; `auto`: as soon as one of the hook was. */
const SIGNATURE_MODES = ['auto', 'required', 'off'] as const;
export type SignatureMode = (typeof SIGNATURE_MODES)[number];

/** What CDS's own service has besides, all of it for workflows v2. */
const NOT_USED = 'Not used: for workflows as code (v2), which this service does not start.';
const ofV2 = {
  repositoryWebHookKey: unusedAndUnprinted('', NOT_USED),
  RepositoryWebHookKeyExpiration: unusedAndUnprinted(0, NOT_USED),
  webhooksPublicKeySign: unusedAndUnprinted('', NOT_USED),
  analysisCheckMaxRetry: unusedAndUnprinted(30, NOT_USED),
  disableRepositoryEventRetry: unusedAndUnprinted(false, NOT_USED),
  oldRepositoryEventQueueLen: unusedAndUnprinted(200, NOT_USED),
  oldRepositoryEventRetry: unusedAndUnprinted(1, NOT_USED),
  outgoingEventTTL: unusedAndUnprinted(7, NOT_USED),
  repositoryEventRetention: unusedAndUnprinted(30, NOT_USED),
};

const { url, name, webhookKey } = identity(8083);
const common = commonSections('hooks', 8083);

/** All of `[hooks]`. */
export const HOOKS_SECTIONS = {
  hooks: section('hooks', 'Receives webhooks and asks CDS for runs.', {
    url,
    urlPublic: httpUrl(
      'How Bitbucket reaches this service, at /webhook/ behind it. Empty: URL.',
    ).default(''),
    name,
    disable: boolean('Whether to start nothing: deliveries are accepted and wait.').default(false),
    workers: integer(1, 64)('Processes on this machine: as many as cores, or fewer.').default(1),
    executionHistory: integer(1, 10_000)('Executions kept for each task.').default(10),
    retryDelaySeconds: integer(1, DAY)('Seconds before the next attempt to start a refused run.', {
      name: 'retryDelay',
    }).default(120),
    retryError: integer(
      1,
      10_000,
    )('Attempts in all to start a run that the API refuses.').default(3),
    deadLetters: integer(
      1,
      100_000,
    )('Failed executions kept for each task, and failed cleanups over all tasks.').default(1_000),
    signature: oneOf(SIGNATURE_MODES)(
      'Whether deliveries are signed. "auto": a signature must be valid, and after the first valid one of a hook there must be one. "required": always. "off": not checked.',
    ).default('auto'),
    webhookKey,
    previousWebhookKeys: secrets(
      'Earlier values of webhookKey (or api.token), whose signatures stay valid while webhooks get new secrets.',
    ).default([]),
    ...ofV2,
  }),
  branchDeletion: section('hooks.branchDeletion', 'Runs of deleted branches.', {
    delaySeconds: integer(0, YEAR)(
      'Seconds from the deletion of a branch to the removal of its runs. A push to the branch cancels it.',
      { name: 'delay' },
    ).default(DAY),
    token: secret('remove it')(
      'CDS 0.50 and later: token of a consumer that may delete runs (not api.token), to remove them after the delay. Empty: CDS removes them by its retention rules.',
      { since: '0.50' },
    ).default(''),
  }),
  reconcile: section('hooks.reconcile', 'Pushes whose webhook never arrived.', {
    intervalSeconds: integer(0, DAY)(
      'Seconds between two checks of each repository for such pushes; 0 is never. Needs polling = true at vcs, and costs Bitbucket calls: take 600 or more.',
      { name: 'interval' },
    ).default(0),
  }),
  outgoing: section(
    'hooks.outgoing',
    'Limits of outgoing webhooks; allow and deny are for RabbitMQ brokers, too.',
    {
      allow: targets(
        'Targets that may be called although they are this machine, link-local or a metadata service, or deny holds "*".',
      ).default([]),
      deny: targets(
        'Targets that are never called, also if allow names them. "*": all that allow does not name.',
      ).default([]),
      timeoutSeconds: integer(1, 60)('Seconds for one call with its redirects.', {
        name: 'timeout',
      }).default(60),
      maxRedirects: integer(0, 10)('Redirects followed by one call.').default(5),
      maxRequestBytes: integer(
        1_024,
        10_485_760,
      )('Size limit of the body of a call, filled in.').default(1_048_576),
      maxLogBytes: integer(
        1_024,
        1_048_576,
      )('Bytes of each body in the log of the run; no more of a response is read.').default(65_536),
    },
  ),
  ui: section('hooks.ui', 'A page for operators at /admin/ui, at http.port alone.', {
    password: password('Password of that page, 16 characters or more; empty: no page.').default(''),
    cdsUrl: httpUrl(
      'URL of the CDS UI, for links to runs. Empty: the one that CDS 0.44 and later names.',
      { name: 'cdsURL' },
    ).default(''),
  }),
  ...common,
  http: section('hooks.http', common.http.comment, {
    ...common.http.shape,
    publicPort: integer(
      0,
      65_535,
    )('A second port that serves /webhook/ alone, for the internet; 0 is none.').default(0),
    publicAddr: address('Address of publicPort; empty means all.').default(''),
    trustedProxies: networks(
      'Addresses and networks of reverse proxies whose X-Forwarded-For names the client.',
    ).default([]),
  }),
};
