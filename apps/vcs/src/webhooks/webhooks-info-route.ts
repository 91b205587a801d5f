import { handle, type Router } from '@cds/service';
import { type VcsWebhooksInfo, vcsWebhooksInfoSchema } from '@cds/wire';
import { findServer } from '../servers/find-server';
import type { RouteDeps } from '../servers/granted-route';
import { ofServer } from '../http/route-params';
import { OFFERED_EVENTS } from './hook-events';

/** What CDS may do with webhooks on this server. */
export function addWebhooksInfoRoute(router: Router, { servers }: RouteDeps): void {
  router.get(
    '/vcs/:name/webhooks',
    { summary: 'What CDS may do with webhooks', ...ofServer, answer: vcsWebhooksInfoSchema },
    () =>
      handle(async (req): Promise<VcsWebhooksInfo> => {
        const { disableWebHooks, disableWebHooksCreation } = findServer(servers, req).config;
        return {
          webhooks_supported: true,
          webhooks_disabled: disableWebHooks,
          webhooks_creation_supported: true,
          webhooks_creation_disabled: disableWebHooksCreation,
          webhooks_icon: 'Bitbucket',
          // There is no Gerrit at Bitbucket Cloud.
          gerrithook_disabled: true,
          events: OFFERED_EVENTS,
        };
      }),
  );
}
