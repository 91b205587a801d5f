import { commonSections, identity } from './common-sections';
import { section } from './section';
import {
  address,
  boolean,
  httpUrl,
  integer,
  networks,
  oneOf,
  secrets,
  targets,
} from './value-types';

const DAY = 86_400;
/** Longer pauses are a mistake in the unit. */
const YEAR = 365 * DAY;

/** Whether deliveries have to be signed; `auto`: as soon as one of the hook was. */
const SIGNATURE_MODES = ['auto', 'required', 'off'] as const;
export type SignatureMode = (typeof SIGNATURE_MODES)[number];

const { url, name, webhookKey } = identity(8083);
const common = commonSections('hooks', 8083);

/** All of `[hooks]`. */
export const HOOKS_SECTIONS = {
  hooks: section('hooks', 'The hooks service: receives webhooks and asks CDS for runs.', {
    url,
    urlPublic: httpUrl
      .default('')
      .describe(
        'How Bitbucket reaches this service: the URL of a webhook is this, /webhook/ and its uuid. When empty, URL is used.',
      ),
    name,
    disable: boolean
      .default(false)
      .describe(
        'Set to true to start nothing: deliveries are accepted and wait until it is false.',
      ),
    executionHistory: integer(1, 10_000).default(10).describe('Executions kept for each task.'),
    retryDelaySeconds: integer(1, DAY)
      .default(120)
      .describe('Pause before a refused run is asked for again, in seconds.')
      .meta({ name: 'retryDelay' }),
    retryError: integer(1, 10_000)
      .default(3)
      .describe('How often a run that the API refuses is asked for in all.'),
    deadLetters: integer(1, 100_000)
      .default(1_000)
      .describe(
        'Executions that failed for good, kept for each task beside its history, and cleanups that failed, kept over all tasks; `engine hooks dead-letters` lists them and sends them again.',
      ),
    signature: oneOf(SIGNATURE_MODES)
      .default('auto')
      .describe(
        'Which deliveries are believed. "auto": a signature must be right, and from the first right one on a hook takes signed ones only. "required": signed ones only. "off": all.',
      ),
    webhookKey,
    previousWebhookKeys: secrets
      .default([])
      .describe(
        'Values that webhookKey (or api.token) had before: signatures made with them stay right while the webhooks get their new secrets.',
      ),
  }),
  branchDeletion: section(
    'hooks.branchDeletion',
    'What happens after a branch was deleted at Bitbucket.',
    {
      delaySeconds: integer(0, YEAR)
        .default(DAY)
        .describe(
          'Time from the deletion of a branch to the removal of its runs, in seconds. A push to the branch in the meantime cancels it.',
        )
        .meta({ name: 'delay' }),
    },
  ),
  reconcile: section('hooks.reconcile', 'Pushes whose webhook never came.', {
    intervalSeconds: integer(0, DAY)
      .default(0)
      .describe(
        'How often the repository of each RepositoryWebHook is looked at, in seconds, for pushes that no webhook told of; 0 is never. It needs polling = true at vcs, and Bitbucket calls: from 600 on is sensible.',
      )
      .meta({ name: 'interval' }),
  }),
  outgoing: section(
    'hooks.outgoing',
    'Outgoing webhooks: whom they may call, and how much of it. The brokers of RabbitMQ hooks are judged by allow and deny, too.',
    {
      allow: targets
        .default([])
        .describe(
          'Targets that may be called although they are addresses of this machine, of its link or of a metadata service, which are refused otherwise, or although deny holds "*".',
        ),
      deny: targets
        .default([])
        .describe(
          'Targets that are never called, whatever allow says. "*" stands for everything that allow does not name.',
        ),
      timeoutSeconds: integer(1, 60)
        .default(60)
        .describe('Time for one call, its redirects and its answer included, in seconds.')
        .meta({ name: 'timeout' }),
      maxRedirects: integer(0, 10).default(5).describe('Redirects that one call follows.'),
      maxRequestBytes: integer(1_024, 10_485_760)
        .default(1_048_576)
        .describe('Size of the body of a call, after its variables were filled in.'),
      maxLogBytes: integer(1_024, 1_048_576)
        .default(65_536)
        .describe(
          'How much of the body of a call, and of its answer, the log of the run shows; no more of an answer is read.',
        ),
    },
  ),
  ...common,
  http: section('hooks.http', common.http.comment, {
    ...common.http.shape,
    publicPort: integer(0, 65_535)
      .default(0)
      .describe(
        'A second port that serves /webhook/ alone: the one to show to the internet. port goes on serving everything, webhooks too. 0 is none.',
      ),
    publicAddr: address
      .default('')
      .describe('Address to listen on at publicPort; empty means all.'),
    trustedProxies: networks
      .default([])
      .describe(
        'Addresses and networks of the reverse proxies in front of this service: from them X-Forwarded-For tells whose requests to limit after many refusals.',
      ),
  }),
};
