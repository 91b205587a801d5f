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
  hooks: section('hooks', 'The hooks service: receives webhooks and asks CDS for runs.', {
    url,
    urlPublic: httpUrl
      .default('')
      .describe('How Bitbucket reaches this service, at /webhook/ behind it. Empty: URL is used.'),
    name,
    disable: boolean
      .default(false)
      .describe(
        'Set to true to start nothing: deliveries are accepted and wait until it is false.',
      ),
    workers: integer(1, 64)
      .default(1)
      .describe('Processes of this service on this machine: as many as cores, or fewer.'),
    executionHistory: integer(1, 10_000).default(10).describe('Executions kept for each task.'),
    retryDelaySeconds: integer(1, DAY)
      .default(120)
      .describe('Pause before the next attempt to start a refused run, in seconds.')
      .meta({ name: 'retryDelay' }),
    retryError: integer(1, 10_000)
      .default(3)
      .describe('Attempts in all to start a run that the API refuses.'),
    deadLetters: integer(1, 100_000)
      .default(1_000)
      .describe(
        'Failed executions kept for each task, and failed cleanups kept over all tasks; see `engine hooks dead-letters`.',
      ),
    signature: oneOf(SIGNATURE_MODES)
      .default('auto')
      .describe(
        'Whether deliveries are signed. "auto": a signature must be valid, and after the first valid one of a hook there must be one. "required": always. "off": not checked.',
      ),
    webhookKey,
    previousWebhookKeys: secrets
      .default([])
      .describe(
        'Earlier values of webhookKey (or api.token), whose signatures stay valid while webhooks get new secrets.',
      ),
    ...ofV2,
  }),
  branchDeletion: section(
    'hooks.branchDeletion',
    'Cleanup after a branch was deleted at Bitbucket.',
    {
      delaySeconds: integer(0, YEAR)
        .default(DAY)
        .describe(
          'Seconds from the deletion of a branch to the removal of its runs. A push to the branch cancels it.',
        )
        .meta({ name: 'delay' }),
      token: secret('remove it')
        .default('')
        .describe(
          'CDS 0.50 and later: token of a consumer that may delete runs (not api.token), to remove them after the delay. Empty: CDS removes them by its retention rules.',
        )
        .meta({ since: '0.50' }),
    },
  ),
  reconcile: section('hooks.reconcile', 'Pushes whose webhook never arrived.', {
    intervalSeconds: integer(0, DAY)
      .default(0)
      .describe(
        'Seconds between two checks of each repository for such pushes; 0 is never. Needs polling = true at vcs, and costs Bitbucket calls: take 600 or more.',
      )
      .meta({ name: 'interval' }),
  }),
  outgoing: section(
    'hooks.outgoing',
    'Limits of outgoing webhooks; allow and deny are for RabbitMQ brokers, too.',
    {
      allow: targets
        .default([])
        .describe(
          'Targets that may be called although they are this machine, link-local or a metadata service, or deny holds "*".',
        ),
      deny: targets
        .default([])
        .describe(
          'Targets that are never called, also if allow names them. "*": all that allow does not name.',
        ),
      timeoutSeconds: integer(1, 60)
        .default(60)
        .describe('Time limit of one call with its redirects, in seconds.')
        .meta({ name: 'timeout' }),
      maxRedirects: integer(0, 10).default(5).describe('Redirects followed by one call.'),
      maxRequestBytes: integer(1_024, 10_485_760)
        .default(1_048_576)
        .describe('Size limit of the body of a call, filled in.'),
      maxLogBytes: integer(1_024, 1_048_576)
        .default(65_536)
        .describe('Bytes of each body in the log of the run; no more of a response is read.'),
    },
  ),
  ui: section('hooks.ui', 'A page for operators at /admin/ui, at http.port alone.', {
    password: password
      .default('')
      .describe('Password of that page, 16 characters or more; empty: no page.'),
    cdsUrl: httpUrl
      .default('')
      .describe(
        'URL of the CDS UI, for links to runs. Empty: the one that CDS 0.44 and later names, before that no links.',
      )
      .meta({ name: 'cdsURL' }),
  }),
  ...common,
  http: section('hooks.http', common.http.comment, {
    ...common.http.shape,
    publicPort: integer(0, 65_535)
      .default(0)
      .describe('A second port that serves /webhook/ alone, for the internet; 0 is none.'),
    publicAddr: address
      .default('')
      .describe('Address to listen on at publicPort; empty means all.'),
    trustedProxies: networks
      .default([])
      .describe(
        'Addresses and networks of reverse proxies whose X-Forwarded-For names the client, for limits on refused senders.',
      ),
  }),
};
