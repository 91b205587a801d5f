import { type Router } from '@cds/service';
import { CdsError, vcsBranchSchema, vcsRepoSchema, vcsTagSchema } from '@cds/wire';
import { z } from 'zod';
import { grantedRoute, type RouteDeps } from '../servers/granted-route';
import { repoOf } from '../http/repository-ref';
import { queryText, repositoryParams, serverParams } from '../http/route-params';
import type { MainBranchOf } from './main-branch';
import { toVcsBranch } from './vcs-branch';
import { toVcsRepo } from './vcs-repo';
import { toVcsTag } from './vcs-tag';

const branchQuery = z.object({ branch: queryText('The name of the branch.') });

/** Repositories, their forks, branches and tags. */
export function addRepositoryRoutes(
  router: Router,
  deps: RouteDeps & { mainBranchOf: MainBranchOf },
): void {
  router.get(
    '/vcs/:name/repos',
    {
      summary: 'Lists the repositories that the user may write to',
      params: serverParams,
      answer: z.array(vcsRepoSchema),
    },
    () =>
      grantedRoute(deps, 'notFound', async ({ bitbucket, ctx }) =>
        (await bitbucket.listRepositories(ctx)).map(toVcsRepo),
      ),
  );

  router.get(
    '/vcs/:name/repos/:owner/:repo',
    { summary: 'One repository', params: repositoryParams, answer: vcsRepoSchema },
    () =>
      grantedRoute(deps, 'repositoryNotFound', async ({ req, bitbucket, ctx }) =>
        toVcsRepo(await bitbucket.getRepository(repoOf(req), ctx)),
      ),
  );

  router.get(
    '/vcs/:name/repos/:owner/:repo/forks',
    { summary: 'Lists forks', params: repositoryParams, answer: z.array(vcsRepoSchema) },
    () =>
      grantedRoute(deps, 'notFound', async ({ req, bitbucket, ctx }) =>
        (await bitbucket.listForks(repoOf(req), ctx)).map(toVcsRepo),
      ),
  );

  router.get(
    '/vcs/:name/repos/:owner/:repo/branches',
    { summary: 'Lists branches', params: repositoryParams, answer: z.array(vcsBranchSchema) },
    () =>
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
    {
      summary: 'One branch',
      description: 'The slash at the end makes the difference to the list.',
      params: repositoryParams,
      query: branchQuery,
      answer: vcsBranchSchema,
    },
    ({ query }) =>
      grantedRoute(deps, 'notFound', async (call) => {
        const { branch: name } = query(call.req);
        if (name === '')
          throw new CdsError('wrongRequest', {
            from: 'name the branch in the query: ?branch=NAME',
          });
        const [mainBranch, branch] = await Promise.all([
          deps.mainBranchOf(call),
          call.bitbucket.getBranch(repoOf(call.req), name, call.ctx),
        ]);
        return toVcsBranch(branch, mainBranch);
      }),
  );

  router.get(
    '/vcs/:name/repos/:owner/:repo/tags',
    { summary: 'Lists tags', params: repositoryParams, answer: z.array(vcsTagSchema) },
    () =>
      grantedRoute(deps, 'notFound', async ({ req, bitbucket, ctx }) =>
        (await bitbucket.listTags(repoOf(req), ctx)).map(toVcsTag),
      ),
  );
}
