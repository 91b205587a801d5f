import { type Router } from '@cds/service';
import { CdsError } from '@cds/wire';
import * as z from 'zod';
import { grantedRoute, type RouteDeps } from '../servers/granted-route';
import { repositoryParams } from '../http/route-params';

const artifactParams = repositoryParams.extend({ release: z.string(), artifactName: z.string() });

const ROUTES = [
  ['/grant', 'Grants access to a repository', repositoryParams],
  ['/releases', 'Makes a release', repositoryParams],
  ['/releases/:release/artifacts/:artifactName', 'Adds a file to a release', artifactParams],
] as const;

/** Routes for what Bitbucket Cloud does not have; CDS's own service answers 501 too. */
export function addNotImplementedRoutes(router: Router, deps: RouteDeps): void {
  for (const [path, summary, params] of ROUTES)
    router.post(
      `/vcs/:name/repos/:owner/:repo${path}`,
      { summary, params, answer: 'never', errors: ['notImplemented'] },
      grantedRoute(deps, 'notFound', async () => {
        throw new CdsError('notImplemented');
      }),
    );
}
