import { commonSections, webhookKeys } from './common-sections';
import type { SectionDescriptor } from './descriptor';

/** The reference prints this URL as an example; a webhook there would reach nobody. */
export const PROXY_EXAMPLE = 'https://myproxy.com';

/** NAME of the one server that is printed, and the key of its kind. */
export const DEFAULT_SERVER = 'bitbucketcloud';
export const BITBUCKET_CLOUD_KIND = 'bitbucketcloud';

const CLIENT_PLACEHOLDER = 'xxxxx';

/** `[vcs.servers.NAME]`, `[vcs.servers.NAME.bitbucketcloud]` and its `Status`. */
export function bitbucketServerSections(name: string): SectionDescriptor[] {
  const server = ['vcs', 'servers', name];
  const kind = [...server, BITBUCKET_CLOUD_KIND];
  return [
    {
      path: server,
      comment:
        'A VCS server under the name that CDS projects use for it. Several may stand side by side.',
      keys: [
        {
          name: 'url',
          default: 'https://bitbucket.org',
          rule: { kind: 'url' },
          comment: 'URL of Bitbucket Cloud in a browser.',
        },
      ],
    },
    {
      path: kind,
      comment: 'The OAuth consumer of a Bitbucket workspace, and what is done with webhooks.',
      keys: [
        {
          name: 'clientId',
          default: '',
          placeholder: CLIENT_PLACEHOLDER,
          rule: { kind: 'text' },
          required: true,
          comment: 'Key of the OAuth consumer.',
        },
        {
          name: 'clientSecret',
          default: '',
          placeholder: CLIENT_PLACEHOLDER,
          rule: {
            kind: 'secret',
            lineBreak:
              'leave it while Bitbucket takes it; once it is removed, every project has to be linked again',
          },
          required: true,
          comment:
            'Secret of the OAuth consumer. Stored grants are encrypted with it: after a change every project has to be linked again.',
        },
        {
          name: 'apiUrl',
          default: 'https://api.bitbucket.org/2.0',
          rule: { kind: 'url' },
          comment: "Bitbucket's REST API. Only tests and proxies need another one.",
        },
        {
          name: 'oauthUrl',
          default: 'https://bitbucket.org/site/oauth2',
          rule: { kind: 'url' },
          comment:
            "Bitbucket's OAuth endpoints, authorize and access_token. Only tests and proxies need another one.",
        },
        {
          name: 'disableWebHooks',
          default: false,
          rule: { kind: 'boolean' },
          comment: 'Set to true to refuse repository webhooks.',
        },
        {
          name: 'disableWebHooksCreation',
          default: false,
          rule: { kind: 'boolean' },
          comment:
            'Set to true to add webhooks at Bitbucket by hand: `engine vcs webhook UUID` then prints the URL, the events and the secret.',
        },
        {
          name: 'proxyWebhook',
          default: '',
          example: PROXY_EXAMPLE,
          rule: { kind: 'url' },
          comment:
            'A reverse proxy in front of the webhooks: Bitbucket then calls this URL, a slash and the uuid of the webhook.',
        },
        {
          name: 'polling',
          default: false,
          rule: { kind: 'boolean' },
          comment:
            'Set to true to tell the CDS API what happened in a repository since it asked last. It asks for Git Repository Pollers, and for every RepositoryWebHook where hooks.reconcile.interval is set.',
        },
        {
          name: 'callsPerHour',
          default: 1000,
          rule: { kind: 'integer', min: 0 },
          comment:
            'Calls about repositories that Bitbucket grants the OAuth consumer in an hour, 0 for no limit. Near it listings are refused, so that runs go on.',
        },
      ],
    },
    {
      path: [...kind, 'Status'],
      comment: 'Build statuses on commits and comments on pull requests.',
      keys: [
        {
          name: 'disable',
          default: false,
          rule: { kind: 'boolean' },
          comment: 'Set to true to send no build status and no comment.',
        },
        {
          name: 'showDetail',
          default: false,
          rule: { kind: 'boolean' },
          comment:
            'Set to true to link each build status to its run in the CDS UI. Where Bitbucket would refuse that URL (its host has no dot and is not localhost), the status leads to the documentation of CDS.',
        },
      ],
    },
  ];
}

/** All of `[vcs]`. */
export const VCS_SECTIONS: readonly SectionDescriptor[] = [
  {
    path: ['vcs'],
    comment: 'The vcs service: between CDS and Bitbucket Cloud.',
    keys: [
      {
        name: 'URL',
        default: 'http://localhost:8084',
        rule: { kind: 'url' },
        required: true,
        comment: 'How the CDS API reaches this service.',
      },
      {
        name: 'name',
        default: '',
        rule: { kind: 'text' },
        required: true,
        comment: 'Name of this service in CDS. Every replica has its own.',
      },
      ...webhookKeys('vcs'),
    ],
  },
  {
    path: ['vcs', 'UI', 'http'],
    comment: 'The CDS UI.',
    keys: [
      {
        name: 'url',
        default: 'http://localhost:4200',
        rule: { kind: 'url' },
        required: true,
        comment: 'URL of the CDS UI, for the links on build statuses.',
      },
    ],
  },
  ...commonSections('vcs', 8084),
  ...bitbucketServerSections(DEFAULT_SERVER),
];
