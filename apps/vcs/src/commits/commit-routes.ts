import { type Router } from '@cds/service';
import { vcsCommitSchema, vcsCommitStatusSchema } from '@cds/wire';
import { z } from 'zod';
import { grantedRoute, type GrantedCall, type RouteDeps } from '../servers/granted-route';
import { refName } from '../http/ref-names';
import { repoOf } from '../http/repository-ref';
import { queryText, repositoryParams } from '../http/route-params';
import type { MainBranchOf } from '../repositories/main-branch';
import { listedNamesFor, toVcsCommitStatuses } from '../statuses/vcs-commit-status';
import { commitRange } from './commit-range';
import { toVcsCommit } from './vcs-commit';

const newest = 'The newest 100 when it is not given.';
const branchCommitsQuery = z.object({
  branch: queryText('The branch, where `until` is not given; else the main branch.'),
  since: queryText(`The commit that the list begins after. ${newest}`),
  until: queryText('The newest commit of the list.'),
});
const commitsQuery = z.object({
  head: queryText('The upper end; the main branch when it is not given.'),
  base: queryText(`The lower end, not listed itself. ${newest}`),
});

const revisionParams = repositoryParams.extend({
  revision: z
    .preprocess(
      (segments: unknown) => (Array.isArray(segments) ? segments.join('/') : segments),
      z.string().regex(/[^/]$/, 'is incomplete: name a commit, a branch or a tag'),
    )
    .meta({ description: 'A commit, a branch or a tag, slashes unescaped.' }),
});

/** Commits of a branch or between two refs, one commit, and its build statuses. */
export function addCommitRoutes(
  router: Router,
  deps: RouteDeps & { mainBranchOf: MainBranchOf },
): void {
  async function listCommits(call: GrantedCall, head: string, base: string) {
    const from = head || (await deps.mainBranchOf(call));
    // An empty repository.
    if (from === undefined) return [];
    const commits = await call.bitbucket.listCommits(
      repoOf(call.req),
      commitRange(refName(from), refName(base)),
      call.ctx,
    );
    return commits.map(toVcsCommit);
  }

  router.get(
    '/vcs/:name/repos/:owner/:repo/branches/commits',
    {
      ...{ summary: 'Lists the commits of a branch', params: repositoryParams },
      ...{ query: branchCommitsQuery, answer: z.array(vcsCommitSchema) },
    },
    ({ query }) =>
      grantedRoute(deps, 'notFound', (call) => {
        const { branch, since, until } = query(call.req);
        return listCommits(call, until || branch, since);
      }),
  );

  router.get(
    '/vcs/:name/repos/:owner/:repo/commits',
    {
      ...{ summary: 'Lists the commits between two refs', params: repositoryParams },
      ...{ query: commitsQuery, answer: z.array(vcsCommitSchema) },
    },
    ({ query }) =>
      grantedRoute(deps, 'notFound', (call) => {
        const { head, base } = query(call.req);
        return listCommits(call, head, base);
      }),
  );

  // A tag comes unescaped and may hold slashes, so that only the end tells statuses from a commit.
  router.get(
    '/vcs/:name/repos/:owner/:repo/commits/*revision/statuses',
    {
      ...{ summary: "Lists CDS's build statuses of a commit", params: revisionParams },
      answer: z.array(vcsCommitStatusSchema),
    },
    ({ params }) =>
      grantedRoute(deps, 'repositoryNotFound', async ({ req, bitbucket, ctx }) => {
        const { revision } = params(req);
        const statuses = await bitbucket.listStatuses(repoOf(req), refName(revision), ctx);
        return toVcsCommitStatuses(statuses, revision, listedNamesFor(req));
      }),
  );
  router.get(
    '/vcs/:name/repos/:owner/:repo/commits/*revision',
    { summary: 'One commit', params: revisionParams, answer: vcsCommitSchema },
    ({ params }) =>
      grantedRoute(deps, 'repositoryNotFound', async ({ req, bitbucket, ctx }) =>
        toVcsCommit(await bitbucket.getCommit(repoOf(req), refName(params(req).revision), ctx)),
      ),
  );
}
