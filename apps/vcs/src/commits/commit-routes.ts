import type { Router } from '@cds/service';
import { vcsCommitSchema, vcsCommitStatusSchema } from '@cds/wire';
import * as z from 'zod';
import { grantedRoute, type GrantedCall, type RouteDeps } from '../servers/granted-route';
import { isOfVcsProject } from '../credentials/project-headers';
import { refName } from '../http/repository-ref';
import { queryText, repositoryParams } from '../http/route-params';
import type { MainBranchOf } from '../repositories/main-branch';
import { toVcsCommitStatuses } from '../statuses/vcs-commit-status';
import { toVcsCommit } from './vcs-commit';

/** Without a lower end the newest so many are all that CDS can use. */
const NEWEST = 100;

/** With a lower end, the most that one push or one release plausibly brings. */
const BETWEEN = 1000;

const newest = `The newest ${NEWEST} when it is not given.`;
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
    const options = {
      include: [refName(from)],
      exclude: base === '' ? [] : [refName(base)],
      limit: base === '' ? NEWEST : BETWEEN,
    };
    const commits = await call.bitbucket.listCommits(call.repo, options, call.ctx);
    return commits.map(toVcsCommit);
  }

  router.get(
    '/vcs/:name/repos/:owner/:repo/branches/commits',
    {
      ...{ summary: 'Lists the commits of a branch', params: repositoryParams },
      ...{ query: branchCommitsQuery, answer: z.array(vcsCommitSchema) },
    },
    grantedRoute(deps, 'notFound', (call, { query }) => {
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
    grantedRoute(deps, 'notFound', (call, { query }) => {
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
    grantedRoute(deps, 'repositoryNotFound', async ({ req, repo, bitbucket, ctx }, { params }) => {
      const { revision } = params(req);
      const statuses = await bitbucket.listStatuses(repo, refName(revision), ctx);
      return toVcsCommitStatuses(statuses, revision, isOfVcsProject(req) ? 'beginnings' : 'whole');
    }),
  );
  router.get(
    '/vcs/:name/repos/:owner/:repo/commits/*revision',
    { summary: 'One commit', params: revisionParams, answer: vcsCommitSchema },
    grantedRoute(deps, 'repositoryNotFound', async ({ req, repo, bitbucket, ctx }, { params }) =>
      toVcsCommit(await bitbucket.getCommit(repo, refName(params(req).revision), ctx)),
    ),
  );
}
