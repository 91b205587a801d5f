import { type BbBranch, isBitbucketError } from '@cds/bitbucket';
import { type Router } from '@cds/service';
import { CdsError, vcsBranchSchema, vcsRepoSchema, vcsTagSchema } from '@cds/wire';
import * as z from 'zod';
import { grantedRoute, type GrantedCall, type RouteDeps } from '../servers/granted-route';
import { refName } from '../http/repository-ref';
import { queryText, repositoryParams, serverParams } from '../http/route-params';
import type { MainBranchOf } from './main-branch';
import { branchIdsFor, toVcsBranch } from './vcs-branch';
import { toVcsRepo } from './vcs-repo';
import { toVcsTag } from './vcs-tag';

const branchesQuery = z.object({
  limit: queryText('Ignored: CDS takes a branch that is not listed for one that is gone.'),
  noCache: queryText('Ignored: branches are never cached.'),
});
const branchQuery = z.object({
  branch: queryText('The name of the branch, or `refs/heads/NAME`.'),
  default: queryText('`true` for the main branch, whatever `branch` says.'),
  noCache: queryText('`true` to ask Bitbucket anew which branch is the main one.'),
});
const tagParams = repositoryParams.extend({
  tag: z.string().meta({ description: 'The name of the tag.' }),
});

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
    grantedRoute(deps, 'notFound', async ({ req, bitbucket, ctx }) =>
      (await bitbucket.listRepositories(ctx)).map((one) => toVcsRepo(one, req)),
    ),
  );

  router.get(
    '/vcs/:name/repos/:owner/:repo',
    { summary: 'One repository', params: repositoryParams, answer: vcsRepoSchema },
    grantedRoute(deps, 'repositoryNotFound', async ({ req, repo, bitbucket, ctx }) =>
      toVcsRepo(await bitbucket.getRepository(repo, ctx), req),
    ),
  );

  router.get(
    '/vcs/:name/repos/:owner/:repo/forks',
    { summary: 'Lists forks', params: repositoryParams, answer: z.array(vcsRepoSchema) },
    grantedRoute(deps, 'notFound', async ({ req, repo, bitbucket, ctx }) =>
      (await bitbucket.listForks(repo, ctx)).map((one) => toVcsRepo(one, req)),
    ),
  );

  router.get(
    '/vcs/:name/repos/:owner/:repo/branches',
    {
      summary: 'Lists branches',
      description: 'All of them.',
      params: repositoryParams,
      query: branchesQuery,
      answer: z.array(vcsBranchSchema),
    },
    grantedRoute(deps, 'notFound', async (call) => {
      const [mainBranch, branches] = await Promise.all([
        deps.mainBranchOf(call),
        call.bitbucket.listBranches(call.repo, call.ctx),
      ]);
      return branches.map((branch) => toVcsBranch(branch, mainBranch, branchIdsFor(call.req)));
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
    grantedRoute(deps, 'notFound', async (call, { query }) => {
      const { branch: ref, default: isDefault, noCache } = query(call.req);
      const which = noCache === 'true' ? 'current' : 'cached';
      if (isDefault === 'true') {
        const branch = await readMainBranch(call, deps.mainBranchOf, which);
        return toVcsBranch(branch, branch.name, branchIdsFor(call.req));
      }
      if (ref === '')
        throw new CdsError('wrongRequest', {
          from: 'name the branch in the query: ?branch=NAME, or ask for ?default=true',
        });
      const [mainBranch, branch] = await Promise.all([
        deps.mainBranchOf(call, which),
        call.bitbucket.getBranch(call.repo, refName(ref), call.ctx),
      ]);
      return toVcsBranch(branch, mainBranch, branchIdsFor(call.req));
    }),
  );

  router.get(
    '/vcs/:name/repos/:owner/:repo/tags',
    { summary: 'Lists tags', params: repositoryParams, answer: z.array(vcsTagSchema) },
    grantedRoute(deps, 'notFound', async ({ repo, bitbucket, ctx }) =>
      (await bitbucket.listTags(repo, ctx)).map(toVcsTag),
    ),
  );

  router.get(
    '/vcs/:name/repos/:owner/:repo/tags/:tag',
    { summary: 'One tag', params: tagParams, answer: vcsTagSchema },
    grantedRoute(deps, 'notFound', async ({ req, repo, bitbucket, ctx }, { params }) =>
      toVcsTag(await bitbucket.getTag(repo, refName(params(req).tag), ctx)),
    ),
  );
}

/** @throws CdsError 404 in an empty repository */
async function readMainBranch(
  call: GrantedCall,
  mainBranchOf: MainBranchOf,
  which: 'cached' | 'current',
): Promise<BbBranch> {
  const name = await mainBranchOf(call, which);
  if (name === undefined)
    throw new CdsError('notFound', { from: 'the repository is empty: it has no main branch' });
  try {
    return await call.bitbucket.getBranch(call.repo, name, call.ctx);
  } catch (error) {
    // Another branch became the main one, and this one was deleted.
    const isGone = isBitbucketError(error) && error.status === 404;
    if (!isGone || which === 'current') throw error;
    return readMainBranch(call, mainBranchOf, 'current');
  }
}
