import { handle, type Router } from '@cds/service';
import { type VcsServer, vcsServerSchema } from '@cds/wire';
import * as z from 'zod';
import type { BitbucketServer } from './bitbucket-server';
import { findServer } from './find-server';
import type { RouteDeps } from './granted-route';
import { ofServer } from '../http/route-params';

/** The VCS servers of the configuration; CDS 0.54 and later do not ask. */
export function addServerRoutes(router: Router, { servers }: RouteDeps): void {
  router.get(
    '/vcs',
    { summary: 'Lists the VCS servers', answer: z.record(z.string(), vcsServerSchema) },
    () =>
      handle(async () =>
        Object.fromEntries(
          [...servers.configured].map(([name, server]) => [name, toVcsServer(server)]),
        ),
      ),
  );

  router.get(
    '/vcsgerrit',
    {
      summary: 'Lists the Gerrit servers',
      description: 'None. CDS 0.51 to 0.53 asks at its start.',
      answer: z.record(z.string(), z.unknown()),
    },
    () => handle(async () => ({})),
  );

  router.get(
    '/vcs/:name',
    { summary: 'One VCS server', ...ofServer, answer: vcsServerSchema },
    () => handle(async (req) => toVcsServer(findServer(servers, req))),
  );
}

function toVcsServer({ config }: BitbucketServer): VcsServer {
  return { type: 'bitbucketcloud', username: '', password: '', url: config.url, sshport: 0 };
}
