import type { ServiceDescription } from '@cds/service';

/** For the OpenAPI document. */
export const ABOUT: ServiceDescription = {
  title: 'hooks',
  description:
    'The hooks service of CDS for Bitbucket Cloud. Only `/webhook/{uuid}` is for the world ' +
    'outside; what asks for `X_AUTH_HEADER` is for the CDS API, and as safe to repeat as ' +
    'everything here. Every refusal has the body `CdsError`. Before a route is looked for, ' +
    'headers over 64 KiB are refused with 431, requests that come too slowly with 408, those ' +
    'that crowd out others with 503, and those without the right `X_AUTH_HEADER` with 429 ' +
    'beyond 100 a second of their address (never those of `/webhook/` and `/mon/`).',
  tags: [
    { name: 'webhooks', description: 'Where deliveries come in.', paths: /^\/webhook\// },
    { name: 'tasks', description: 'Hooks, and what they execute.', paths: /^\/task(\/|$)/ },
    { name: 'admin', description: 'For operators.', paths: /^\/admin\// },
    { name: 'monitoring', description: 'How the service is.', paths: /^\/(mon\/|openapi)/ },
  ],
};
