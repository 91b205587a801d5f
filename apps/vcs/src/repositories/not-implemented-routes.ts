import { CdsError } from '@cds/wire';
import type { Router } from 'express';
import { grantedRoute, type RouteDeps } from '../calls/granted-route';

/** What CDS can ask of a VCS server and Bitbucket Cloud does not have; CDS's service answers 501 too. */
export function addNotImplementedRoutes(router: Router, deps: RouteDeps): void {
  const notImplemented = grantedRoute(deps, 'notFound', async () => {
    throw new CdsError('notImplemented');
  });
  router.post('/vcs/:name/repos/:owner/:repo/grant', notImplemented);
  router.post('/vcs/:name/repos/:owner/:repo/releases', notImplemented);
  router.post(
    '/vcs/:name/repos/:owner/:repo/releases/:release/artifacts/:artifactName',
    notImplemented,
  );
}
