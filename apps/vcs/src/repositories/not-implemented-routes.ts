import { route } from '@cds/service';
import { CdsError } from '@cds/wire';
import type { Router } from 'express';
import { z } from 'zod';
import { grantedRoute, type RouteDeps } from '../servers/granted-route';
import { repositoryParams } from '../http/route-params';

const artifactParams = repositoryParams.extend({
  release: z.string(),
  artifactName: z.string(),
});
const never = { params: repositoryParams, answer: 'never', errors: ['notImplemented'] } as const;

/**
 * What CDS can ask of a VCS server and Bitbucket Cloud does not have; CDS's service answers 501
 * too.
 */
export function addNotImplementedRoutes(router: Router, deps: RouteDeps): void {
  const notImplemented = grantedRoute(deps, 'notFound', async () => {
    throw new CdsError('notImplemented');
  });
  router.post(
    '/vcs/:name/repos/:owner/:repo/grant',
    route({ summary: 'Grants access to a repository', ...never }, () => notImplemented),
  );
  router.post(
    '/vcs/:name/repos/:owner/:repo/releases',
    route({ summary: 'Makes a release', ...never }, () => notImplemented),
  );
  router.post(
    '/vcs/:name/repos/:owner/:repo/releases/:release/artifacts/:artifactName',
    route(
      { summary: 'Adds a file to a release', ...never, params: artifactParams },
      () => notImplemented,
    ),
  );
}
