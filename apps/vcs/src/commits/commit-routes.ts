import type { BitbucketClient } from '@cds/bitbucket';
import { CdsError } from '@cds/wire';
import type { Router } from 'express';
import { grantedRoute, type GrantedCall, type RouteDeps } from '../calls/granted-route';
import { queryText, repoOf } from '../calls/request-values';
import type { MainBranchOf } from '../repositories/main-branch';
import { isCdsStatus, toVcsCommitStatus } from '../statuses/vcs-commit-status';
import { commitRange } from './commit-range';
import { toVcsCommit } from './vcs-commit';

const STATUSES = '/statuses';

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
      commitRange(from, base),
      call.ctx,
    );
    return commits.map(toVcsCommit);
  }

  router.get(
    '/vcs/:name/repos/:owner/:repo/branches/commits',
    grantedRoute(deps, 'notFound', (call) =>
      listCommits(
        call,
        queryText(call.req, 'until') || queryText(call.req, 'branch'),
        queryText(call.req, 'since'),
      ),
    ),
  );

  router.get(
    '/vcs/:name/repos/:owner/:repo/commits',
    grantedRoute(deps, 'notFound', (call) =>
      listCommits(call, queryText(call.req, 'head'), queryText(call.req, 'base')),
    ),
  );

  // A tag comes unescaped and may hold slashes, so that only the end tells statuses from a commit.
  router.get(
    '/vcs/:name/repos/:owner/:repo/commits/*revision',
    grantedRoute(deps, 'repositoryNotFound', async ({ req, bitbucket, ctx }) => {
      const repo = repoOf(req);
      const path = revisionPath(req.params.revision);
      if (!path.endsWith(STATUSES)) return toVcsCommit(await bitbucket.getCommit(repo, path, ctx));
      const revision = path.slice(0, -STATUSES.length);
      return listCdsStatuses(bitbucket.listStatuses(repo, revision, ctx), revision);
    }),
  );
}

async function listCdsStatuses(
  listing: ReturnType<BitbucketClient['listStatuses']>,
  revision: string,
) {
  return (await listing).filter(isCdsStatus).map((status) => toVcsCommitStatus(status, revision));
}

function revisionPath(segments: unknown): string {
  const path = Array.isArray(segments) ? segments.join('/') : String(segments);
  if (path === '' || path.endsWith('/'))
    throw new CdsError('wrongRequest', { from: 'name a commit, a branch or a tag' });
  return path;
}
