import { type Router } from '@cds/service';
import { CdsError } from '@cds/wire';
import { z } from 'zod';
import { grantedRoute, type RouteDeps } from '../servers/granted-route';
import { repositoryParams } from '../http/route-params';

const artifactParams = repositoryParams.extend({
  release: z.string(),
  artifactName: z.string(),
});
const never = { params: repositoryParams, answer: 'never', errors: ['notImplemented'] } as const;

/** Routes for what Bitbucket Cloud does not have; CDS's own service answers 501 too. */
export function addNotImplementedRoutes(router: Router, deps: RouteDeps): void {
  const notImplemented = grantedRoute(deps, 'notFound', async () => {
    throw new CdsError('notImplemented');
  });
  router.post(
    '/vcs/:name/repos/:owner/:repo/grant',
    { summary: 'Grants access to a repository', ...never },
    () => notImplemented,
  );
  router.post(
    '/vcs/:name/repos/:owner/:repo/releases',
    { summary: 'Makes a release', ...never },
    () => notImplemented,
  );
  router.post(
    '/vcs/:name/repos/:owner/:repo/releases/:release/artifacts/:artifactName',
    { summary: 'Adds a file to a release', ...never, params: artifactParams },
    () => notImplemented,
  );
}
