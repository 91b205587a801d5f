import type { ServiceDescription } from '@cds/service';

/** The parts of the OpenAPI document that are of no single route. */
export const SERVICE_DESCRIPTION: ServiceDescription = {
  title: 'vcs',
  description:
    'The vcs service of CDS for Bitbucket Cloud. What asks for `X_AUTH_HEADER` is for the CDS API, and ends within 50 s. What Bitbucket Cloud refuses is told with its sentence after `(bitbucketcloud_error)`. Every refusal has the body `CdsError`. Before a route is looked for, headers over 256 KiB are refused with 431 and requests that come too slowly with 408.',
  tags: [
    { name: 'webhooks', description: 'Webhooks of repositories.', paths: /\/(web)?hooks$/ },
    { name: 'statuses', description: "CDS's build statuses.", paths: /\/status(es)?$/ },
    { name: 'pull requests', description: 'And comments on them.', paths: /\/pullrequests/ },
    { name: 'commits', description: 'Of branches and between refs.', paths: /\/commits/ },
    { name: 'repositories', description: 'Their branches, tags and forks.', paths: /\/repos/ },
    { name: 'servers', description: 'And linking projects to them.', paths: /^\/vcs/ },
    { name: 'monitoring', description: 'How the service is.', paths: /^\/(mon\/|openapi)/ },
  ],
};
