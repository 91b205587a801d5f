import { handle, route } from '@cds/service';
import {
  type VcsPollingInfo,
  vcsPollingInfoSchema,
  type VcsServer,
  vcsServerSchema,
} from '@cds/wire';
import type { Router } from 'express';
import { z } from 'zod';
import type { BitbucketServer } from '../bitbucket-server';
import { findServer } from '../calls/find-server';
import type { RouteDeps } from '../calls/granted-route';
import { ofServer } from '../calls/route-params';

/** Which servers there are. */
export function addServerRoutes(router: Router, { servers }: RouteDeps): void {
  router.get(
    '/vcs',
    route({ summary: 'Lists the VCS servers', answer: z.record(z.string(), vcsServerSchema) }, () =>
      handle(async () =>
        Object.fromEntries([...servers].map(([name, server]) => [name, toVcsServer(server)])),
      ),
    ),
  );

  router.get(
    '/vcs/:name',
    route({ summary: 'One VCS server', ...ofServer, answer: vcsServerSchema }, () =>
      handle(async (req) => toVcsServer(findServer(servers, req))),
    ),
  );

  router.get(
    '/vcs/:name/polling',
    route({ summary: 'Whether it can be polled', ...ofServer, answer: vcsPollingInfoSchema }, () =>
      handle(async (req): Promise<VcsPollingInfo> => {
        findServer(servers, req);
        return { polling_supported: false, polling_disabled: false };
      }),
    ),
  );
}

function toVcsServer({ config }: BitbucketServer): VcsServer {
  return { type: 'bitbucketcloud', username: '', password: '', url: config.url, sshport: 0 };
}
