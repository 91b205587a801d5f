import { handle } from '@cds/service';
import type { VcsServer } from '@cds/wire';
import type { Router } from 'express';
import type { BitbucketServer } from '../bitbucket-server';
import { findServer } from '../calls/find-server';
import type { RouteDeps } from '../calls/granted-route';

/** Which servers there are. */
export function addServerRoutes(router: Router, { servers }: RouteDeps): void {
  router.get(
    '/vcs',
    handle(async () =>
      Object.fromEntries([...servers].map(([name, server]) => [name, toVcsServer(server)])),
    ),
  );

  router.get(
    '/vcs/:name',
    handle(async (req) => toVcsServer(findServer(servers, req))),
  );
}

function toVcsServer({ config }: BitbucketServer): VcsServer {
  return { type: 'bitbucketcloud', username: '', password: '', url: config.url, sshport: 0 };
}
