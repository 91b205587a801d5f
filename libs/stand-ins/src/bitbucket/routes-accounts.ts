import { BitbucketApiError } from './api-error';
import { credentialOf, guarded, listing, repositoryOf, type Routes } from './api-context';
import { queryOf } from './pagination';

const ROLES = ['admin', 'contributor', 'member', 'owner'];

/** The user, their workspaces, and the repositories in these. */
export const accountRoutes: Routes = (router, context) => {
  const { store, render } = context;

  router.get(
    '/user',
    guarded(['account'], () => ({
      ...render.account(store.account),
      username: store.account.username,
      created_on: '2019-01-01T00:00:00.000000+00:00',
    })),
  );

  router.get(
    '/user/workspaces',
    guarded(['account'], (request) => {
      const workspaces = store.workspaces
        .filter(({ member }) => member)
        .map(({ slug, uuid }) => ({
          type: 'workspace_access',
          administrator: true,
          // Neither a name nor a permission: only what leads on.
          workspace: { type: 'workspace_base', slug, uuid, links: {} },
        }));
      const sort = queryOf(request).get('sort');
      if (sort !== null && !/^-?slug$/.test(sort))
        throw new BitbucketApiError(400, `Invalid field name: ${sort.replace(/^-/, '')}`);
      const sorted = workspaces.toSorted((a, b) =>
        a.workspace.slug.localeCompare(b.workspace.slug),
      );
      return context.pages.page(request, sort?.startsWith('-') ? sorted.toReversed() : sorted);
    }),
  );

  router.get(
    '/repositories/:workspace',
    guarded(['repository'], (request, response) => {
      const { workspace = '' } = request.params;
      const role = queryOf(request).get('role');
      if (role !== null && !ROLES.includes(role))
        throw new BitbucketApiError(400, `Invalid role: ${role}`);
      const found = store.workspaces.find(({ slug }) => slug === workspace);
      const only = credentialOf(response);
      // The token of a repository may not list, not even with what it sees.
      if (only.repository !== undefined) throw new BitbucketApiError(403, 'Forbidden');
      if (!found?.member || (only.workspace ?? workspace) !== workspace)
        throw new BitbucketApiError(404, `No workspace with identifier '${workspace}'.`);
      const repositories = [...store.repositories.values()].filter(
        // An access token is a member of nothing.
        (repository) =>
          repository.workspace === found && (role === null || only.kind !== 'access-token'),
      );
      return listing(context, request, repositories.map(render.repository));
    }),
  );

  router.get(
    '/repositories/:workspace/:slug',
    guarded(['repository'], (request) => render.repository(repositoryOf(context, request))),
  );

  router.get(
    '/repositories/:workspace/:slug/forks',
    guarded(['repository'], (request) => {
      const parent = repositoryOf(context, request);
      const forks = [...store.repositories.values()].filter((one) => one.parent === parent);
      return listing(context, request, forks.map(render.repository));
    }),
  );
};
