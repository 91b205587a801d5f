import { commonSections, identity } from './common-sections';
import type { CdsVersions } from './key-type';
import { section, unused } from './section';
import { boolean, httpUrl, integer, secret, text } from './value-types';

/** The reference prints this URL as an example; a webhook there would reach nobody. */
export const PROXY_EXAMPLE = 'https://myproxy.com';

/** Where a UI runs that was installed with its defaults. */
export const DEFAULT_UI_URL = 'http://localhost:4200';

/** NAME of the one server that is printed, and the key of its kind. */
export const DEFAULT_SERVER = 'bitbucketcloud';
export const BITBUCKET_CLOUD_KIND = 'bitbucketcloud';

const CLIENT_PLACEHOLDER = 'xxxxx';
const { url, name, webhookKey } = identity(8084);

/** All of `[vcs]` but its servers. */
export const VCS_SECTIONS = {
  vcs: section('vcs', 'Between CDS and Bitbucket Cloud.', {
    url,
    name,
    webhookKey,
    previousWebhookKeys: unused([], 'Not used.'),
    proxyWebhook: httpUrl(
      'CDS 0.51 and later: a reverse proxy for webhooks of VCS projects, which passes /UUID on to /webhook/UUID of hooks.',
      { example: PROXY_EXAMPLE, since: '0.51' },
    ).default(''),
  }),
  ui: section(
    'vcs.UI.http',
    'The CDS UI.',
    {
      uiUrl: httpUrl(
        `URL of the CDS UI, for links on build statuses. Empty: the one that CDS 0.44 and later names, else ${DEFAULT_UI_URL}.`,
        { name: 'url', printed: DEFAULT_UI_URL },
      ).default(''),
    },
    { before: '0.44' },
  ),
  ...commonSections('vcs', 8084),
};

/** From CDS 0.54 on credentials belong to the VCS projects of CDS, and to no server. */
const OF_SERVERS: CdsVersions = { before: '0.54' };

const SERVER = section(
  'NAME',
  'By the name that CDS projects use; there may be several.',
  {
    url: httpUrl('URL of Bitbucket Cloud in a browser.').default('https://bitbucket.org'),
  },
  OF_SERVERS,
);
const CLOUD = section(
  BITBUCKET_CLOUD_KIND,
  'The OAuth consumer of a Bitbucket workspace, and its webhooks.',
  {
    clientId: text('Key of the OAuth consumer.', { placeholder: CLIENT_PLACEHOLDER }),
    clientSecret: secret(
      'leave it while Bitbucket takes it; once it is removed, every project has to be linked again',
    )(
      'Secret of the OAuth consumer. It encrypts grants: after a change link every project again.',
      { placeholder: CLIENT_PLACEHOLDER },
    ),
    apiUrl: httpUrl("Bitbucket's REST API, or a proxy.").default('https://api.bitbucket.org/2.0'),
    oauthUrl: httpUrl("Bitbucket's OAuth endpoints, or a proxy.").default(
      'https://bitbucket.org/site/oauth2',
    ),
    disableWebHooks: boolean('Whether to refuse repository webhooks.').default(false),
    disableWebHooksCreation: boolean(
      'Whether webhooks are added at Bitbucket by hand, as `engine vcs webhook UUID` prints them.',
    ).default(false),
    proxyWebhook: httpUrl(
      'A reverse proxy for webhooks, which passes /UUID on to /webhook/UUID of hooks.',
      { example: PROXY_EXAMPLE },
    ).default(''),
    polling: boolean(
      'Whether to report events of repositories, for Git Repository Pollers and hooks.reconcile.interval.',
    ).default(false),
    callsPerHour: integer(0)(
      'Calls an hour that Bitbucket grants the OAuth consumer, 0 for no limit. Near the limit lists are refused.',
    ).default(1000),
  },
  OF_SERVERS,
);
const STATUS = section(
  'Status',
  'Build statuses on commits and comments on pull requests.',
  {
    disable: boolean('Whether to send no build status and no comment.').default(false),
    showDetail: boolean(
      'Whether to link each build status to its run in the CDS UI, or, if its host has no dot, to the documentation of CDS.',
    ).default(false),
  },
  OF_SERVERS,
);

/** `[vcs.servers.NAME]`, `[vcs.servers.NAME.bitbucketcloud]` and its `Status`. */
export function serverSections(server: string) {
  const path = ['vcs', 'servers', server];
  return {
    server: { ...SERVER, path },
    cloud: { ...CLOUD, path: [...path, ...CLOUD.path] },
    status: { ...STATUS, path: [...path, ...CLOUD.path, ...STATUS.path] },
  };
}
