import express, { type Request } from 'express';
import { BitbucketApiError } from './api-error';
import { guarded, listing, repositoryOf, type ApiContext, type Routes } from './api-context';
import { commitRange, resolveRevision } from './commit-graph';
import type { Commit, Json, Repository } from './model';
import { COMMIT_PAGES, queryOf } from './pagination';

type RepositoryRequest = Request<Record<string, string>>;

/** A commit named in a path. A ref with `/` cannot stand there. @throws BitbucketApiError 404 */
export function commitInPath(repository: Repository, request: RepositoryRequest): Commit {
  const { commit = '' } = request.params;
  if (commit.includes('/'))
    throw new BitbucketApiError(404, 'Commit not found', { data: { shas: [commit] } });
  return resolveRevision(repository, commit);
}

/** Commits: ranges by `include` and `exclude`, and one by its hash. */
export const commitRoutes: Routes = (router, context) => {
  const { render } = context;
  const root = '/repositories/:workspace/:slug';

  const fromQuery = (request: RepositoryRequest): Json => {
    const query = queryOf(request);
    return range(context, request, query.getAll('include'), query.getAll('exclude'));
  };
  router.get(`${root}/commits`, guarded(['repository'], fromQuery));

  router.get(
    `${root}/commits/:commit`,
    guarded(['repository'], (request) => {
      const { hash } = commitInPath(repositoryOf(context, request), request);
      return range(context, request, [hash], queryOf(request).getAll('exclude'));
    }),
  );

  // For lists of refs that are too long for a URL.
  router.post(
    `${root}/commits`,
    express.urlencoded({ extended: false }),
    guarded(['repository'], (request) => {
      const form = (request.body ?? {}) as Record<string, string | string[]>;
      const all = (name: string): string[] => [form[name] ?? []].flat();
      return range(context, request, all('include'), all('exclude'));
    }),
  );

  router.get(
    `${root}/commit/:commit`,
    guarded(['repository'], (request) => {
      const repository = repositoryOf(context, request);
      const commit = commitInPath(repository, request);
      return {
        ...render.commit(repository, commit),
        repository: render.repositoryBrief(repository),
        participants: [],
      };
    }),
  );
};

function range(
  context: ApiContext,
  request: RepositoryRequest,
  include: string[],
  exclude: string[],
): Json {
  const repository = repositoryOf(context, request);
  const hashes = (revisions: string[]): string[] =>
    revisions.map((revision) => resolveRevision(repository, revision).hash);
  const heads = include.length ? hashes(include) : [...repository.branches.values()];
  const commits = commitRange(repository, heads, hashes(exclude)).map((commit) => ({
    ...context.render.commit(repository, commit),
    repository: context.render.repositoryBrief(repository),
  }));
  return listing(context, request, commits, COMMIT_PAGES);
}
