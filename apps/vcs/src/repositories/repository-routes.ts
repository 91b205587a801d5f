import { CdsError } from '@cds/wire';
import type { Router } from 'express';
import { grantedRoute, type RouteDeps } from '../calls/granted-route';
import { queryText, repoOf } from '../calls/request-values';
import type { MainBranchOf } from './main-branch';
import { toVcsBranch } from './vcs-branch';
import { toVcsRepo } from './vcs-repo';
import { toVcsTag } from './vcs-tag';

/** Repositories, their forks, branches and tags. */
export function addRepositoryRoutes(
  router: Router,
  deps: RouteDeps & { mainBranchOf: MainBranchOf },
): void {
  router.get(
    '/vcs/:name/repos',
    grantedRoute(deps, 'notFound', async ({ bitbucket, ctx }) =>
      (await bitbucket.listRepositories(ctx)).map(toVcsRepo),
    ),
  );

  router.get(
    '/vcs/:name/repos/:owner/:repo',
    grantedRoute(deps, 'repositoryNotFound', async ({ req, bitbucket, ctx }) =>
      toVcsRepo(await bitbucket.getRepository(repoOf(req), ctx)),
    ),
  );

  router.get(
    '/vcs/:name/repos/:owner/:repo/forks',
    grantedRoute(deps, 'notFound', async ({ req, bitbucket, ctx }) =>
      (await bitbucket.listForks(repoOf(req), ctx)).map(toVcsRepo),
    ),
  );

  router.get(
    '/vcs/:name/repos/:owner/:repo/branches',
    grantedRoute(deps, 'notFound', async (call) => {
      const [mainBranch, branches] = await Promise.all([
        deps.mainBranchOf(call),
        call.bitbucket.listBranches(repoOf(call.req), call.ctx),
      ]);
      return branches.map((branch) => toVcsBranch(branch, mainBranch));
    }),
  );

  // With the slash: one branch.
  router.get(
    '/vcs/:name/repos/:owner/:repo/branches/',
    grantedRoute(deps, 'notFound', async (call) => {
      const name = queryText(call.req, 'branch');
      if (name === '')
        throw new CdsError('wrongRequest', { from: 'name the branch in the query: ?branch=NAME' });
      const [mainBranch, branch] = await Promise.all([
        deps.mainBranchOf(call),
        call.bitbucket.getBranch(repoOf(call.req), name, call.ctx),
      ]);
      return toVcsBranch(branch, mainBranch);
    }),
  );

  router.get(
    '/vcs/:name/repos/:owner/:repo/tags',
    grantedRoute(deps, 'notFound', async ({ req, bitbucket, ctx }) =>
      (await bitbucket.listTags(repoOf(req), ctx)).map(toVcsTag),
    ),
  );
}
