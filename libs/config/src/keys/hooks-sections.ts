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
      .describe(
        'How Bitbucket reaches this service: the URL of a webhook is this, /webhook/ and its uuid. Empty: URL is used.',
      ),
    name,
    disable: boolean
      .default(false)
      .describe(
        'Set to true to start nothing: deliveries are accepted and wait until it is false.',
      ),
    workers: integer(1, 64)
      .default(1)
      .describe(
        'Processes of this service on this machine, which share its ports, its name and its registration. More use more cores: no more than there are.',
      ),
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
        'Failed executions kept for each task beside its history, and failed cleanups kept over all tasks; `engine hooks dead-letters` lists and retries them.',
      ),
    signature: oneOf(SIGNATURE_MODES)
      .default('auto')
      .describe(
        'Which deliveries are accepted. "auto": a signature must be valid, and after its first valid one a hook accepts signed deliveries only. "required": signed ones only. "off": all.',
      ),
    webhookKey,
    previousWebhookKeys: secrets
      .default([])
      .describe(
        'Earlier values of webhookKey (or api.token): signatures made with them stay valid while the webhooks get their new secrets.',
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
          'Time from the deletion of a branch to the removal of its runs, in seconds. A push to the branch cancels the cleanup.',
        )
        .meta({ name: 'delay' }),
      token: secret('remove it')
        .default('')
        .describe(
          'CDS 0.50 and later remove runs by their retention rules, and no service may: empty schedules no cleanup there. With the token of a consumer that may delete runs (not api.token) they are removed after the delay there, too. Not used before CDS 0.50.',
        )
        .meta({ since: '0.50' }),
    },
  ),
  reconcile: section('hooks.reconcile', 'Pushes whose webhook never arrived.', {
    intervalSeconds: integer(0, DAY)
      .default(0)
      .describe(
        'Seconds between two checks of the repository of each RepositoryWebHook for such pushes; 0 is never. Needs polling = true at vcs, and costs Bitbucket calls: 600 or more is sensible.',
      )
      .meta({ name: 'interval' }),
  }),
  outgoing: section(
    'hooks.outgoing',
    'Limits of outgoing webhooks. allow and deny hold for the brokers of RabbitMQ hooks, too.',
    {
      allow: targets
        .default([])
        .describe(
          'Targets that may be called even if they are addresses of this machine, of its link or of a metadata service, or if deny holds "*".',
        ),
      deny: targets
        .default([])
        .describe(
          'Targets that are never called, even if allow names them. "*" is every target that allow does not name.',
        ),
      timeoutSeconds: integer(1, 60)
        .default(60)
        .describe('Time limit of one call, with its redirects and its response, in seconds.')
        .meta({ name: 'timeout' }),
      maxRedirects: integer(0, 10).default(5).describe('Redirects followed by one call.'),
      maxRequestBytes: integer(1_024, 10_485_760)
        .default(1_048_576)
        .describe('Size limit of the body of a call, with its variables filled in.'),
      maxLogBytes: integer(1_024, 1_048_576)
        .default(65_536)
        .describe(
          'Bytes of the request body and of the response body in the log of the run; no more of a response is read.',
        ),
    },
  ),
  ui: section('hooks.ui', 'A page for operators at /admin/ui, at http.port alone.', {
    password: password
      .default('')
      .describe('Password of that page, 16 characters or more; empty: there is no such page.'),
    cdsUrl: httpUrl
      .default('')
      .describe(
        'URL of the CDS UI, for the links of that page to runs. Empty: the one that the API of CDS 0.44 and later names; before, there are no links.',
      )
      .meta({ name: 'cdsURL' }),
  }),
  ...common,
  http: section('hooks.http', common.http.comment, {
    ...common.http.shape,
    publicPort: integer(0, 65_535)
      .default(0)
      .describe(
        'A second port that serves /webhook/ alone, for the internet. port still serves everything. 0 is none.',
      ),
    publicAddr: address
      .default('')
      .describe('Address to listen on at publicPort; empty means all.'),
    trustedProxies: networks
      .default([])
      .describe(
        'Addresses and networks of the reverse proxies in front of this service. Their X-Forwarded-For names the client whose requests are limited after many refusals.',
      ),
  }),
};
