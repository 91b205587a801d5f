import { SIGNATURE_MODES } from '../config-types';
import { DAY_SECONDS, LONGEST_DELAY_SECONDS, commonSections, webhookKeys } from './common-sections';
import type { SectionDescriptor } from './descriptor';

/** All of `[hooks]`. */
export const HOOKS_SECTIONS: readonly SectionDescriptor[] = [
  {
    path: ['hooks'],
    comment: 'The hooks service: receives webhooks and asks CDS for runs.',
    keys: [
      {
        name: 'URL',
        default: 'http://localhost:8083',
        rule: { kind: 'url' },
        required: true,
        comment: 'How the CDS API reaches this service.',
      },
      {
        name: 'urlPublic',
        default: '',
        rule: { kind: 'url' },
        comment:
          'How Bitbucket reaches this service: the URL of a webhook is this, /webhook/ and its uuid. When empty, URL is used.',
      },
      {
        name: 'name',
        default: '',
        rule: { kind: 'text' },
        required: true,
        comment: 'Name of this service in CDS. Every replica has its own.',
      },
      {
        name: 'disable',
        default: false,
        rule: { kind: 'boolean' },
        comment:
          'Set to true to start nothing: deliveries are accepted and wait until it is false.',
      },
      {
        name: 'executionHistory',
        default: 10,
        rule: { kind: 'integer', min: 1, max: 10_000 },
        comment: 'Executions kept for each task.',
      },
      {
        name: 'retryDelay',
        default: 120,
        rule: { kind: 'integer', min: 1, max: DAY_SECONDS },
        comment: 'Pause before a refused run is asked for again, in seconds.',
      },
      {
        name: 'retryError',
        default: 3,
        rule: { kind: 'integer', min: 1, max: 10_000 },
        comment: 'How often a run that the API refuses is asked for in all.',
      },
      {
        name: 'deadLetters',
        default: 1_000,
        rule: { kind: 'integer', min: 1, max: 100_000 },
        comment:
          'Executions that failed for good, kept for each task beside its history, and cleanups that failed, kept over all tasks; `engine hooks dead-letters` lists them and sends them again.',
      },
      {
        name: 'signature',
        default: 'auto',
        rule: { kind: 'one-of', values: SIGNATURE_MODES },
        comment:
          'Which deliveries are believed. "auto": a signature must be right, and from the first right one on a hook takes signed ones only. "required": signed ones only. "off": all.',
      },
      ...webhookKeys('hooks'),
    ],
  },
  {
    path: ['hooks', 'branchDeletion'],
    comment: 'What happens after a branch was deleted at Bitbucket.',
    keys: [
      {
        name: 'delay',
        default: DAY_SECONDS,
        rule: { kind: 'integer', min: 0, max: LONGEST_DELAY_SECONDS },
        comment:
          'Time from the deletion of a branch to the removal of its runs, in seconds. A push to the branch in the meantime cancels it.',
      },
    ],
  },
  {
    path: ['hooks', 'reconcile'],
    comment: 'Pushes whose webhook never came.',
    keys: [
      {
        name: 'interval',
        default: 0,
        rule: { kind: 'integer', min: 0, max: DAY_SECONDS },
        comment:
          'How often the repository of each RepositoryWebHook is looked at, in seconds, for pushes that no webhook told of; 0 is never. It needs polling = true at vcs, and Bitbucket calls: from 600 on is sensible.',
      },
    ],
  },
  {
    path: ['hooks', 'outgoing'],
    comment:
      'Outgoing webhooks: whom they may call, and how much of it. The brokers of RabbitMQ hooks are judged by allow and deny, too.',
    keys: [
      {
        name: 'allow',
        default: [],
        rule: { kind: 'targets' },
        comment:
          'Targets that may be called although they are addresses of this machine, of its link or of a metadata service, which are refused otherwise, or although deny holds "*".',
      },
      {
        name: 'deny',
        default: [],
        rule: { kind: 'targets' },
        comment:
          'Targets that are never called, whatever allow says. "*" stands for everything that allow does not name.',
      },
      {
        name: 'timeout',
        default: 60,
        rule: { kind: 'integer', min: 1, max: 60 },
        comment: 'Time for one call, its redirects and its answer included, in seconds.',
      },
      {
        name: 'maxRedirects',
        default: 5,
        rule: { kind: 'integer', min: 0, max: 10 },
        comment: 'Redirects that one call follows.',
      },
      {
        name: 'maxRequestBytes',
        default: 1_048_576,
        rule: { kind: 'integer', min: 1_024, max: 10_485_760 },
        comment: 'Size of the body of a call, after its variables were filled in.',
      },
      {
        name: 'maxLogBytes',
        default: 65_536,
        rule: { kind: 'integer', min: 1_024, max: 1_048_576 },
        comment:
          'How much of the body of a call, and of its answer, the log of the run shows; no more of an answer is read.',
      },
    ],
  },
  ...commonSections('hooks', 8083),
];
