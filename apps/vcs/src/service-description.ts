import type { ServiceDescription } from '@cds/service';

/** The parts of the OpenAPI document that are of no single route. */
export const SERVICE_DESCRIPTION: ServiceDescription = {
  title: 'vcs',
  description:
    'The vcs service of CDS for Bitbucket Cloud. Routes with `X_AUTH_HEADER` are for the CDS API and end within 50 s. An error of Bitbucket Cloud carries its message after `(bitbucketcloud_error)`. The body of every error is `CdsError`. Headers over 256 KiB are refused with 431 and slow requests with 408, whatever the route.',
  tags: [
    { name: 'webhooks', description: 'Webhooks of repositories.', paths: /\/(web)?hooks$/ },
    { name: 'statuses', description: "CDS's build statuses.", paths: /\/status(es)?$/ },
    { name: 'pull requests', description: 'And comments on them.', paths: /\/pullrequests/ },
    { name: 'commits', description: 'Of branches and between refs.', paths: /\/commits/ },
    { name: 'repositories', description: 'Their branches, tags and forks.', paths: /\/repos/ },
    { name: 'servers', description: 'And linking projects to them.', paths: /^\/vcs/ },
    { name: 'monitoring', description: 'The state of the service.', paths: /^\/(mon\/|openapi)/ },
  ],
};
