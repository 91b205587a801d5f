import { BitbucketApiError } from './api-error';
import { guarded, listing, repositoryOf, type Routes } from './api-context';
import { COMMIT_PAGES } from './pagination';

/** Branches and tags. A name with `/` stands encoded in the path. */
export const refRoutes: Routes = (router, context) => {
  const { render } = context;
  const root = '/repositories/:workspace/:slug/refs';

  // By name, as `git show-ref` has them: branches, then tags.
  router.get(
    root,
    guarded(['repository'], (request) => {
      const repository = repositoryOf(context, request);
      const byName = (a: [string, unknown], b: [string, unknown]) => (a[0] < b[0] ? -1 : 1);
      const branches = [...repository.branches].toSorted(byName);
      const tags = [...repository.tags].toSorted(byName);
      const refs = [
        ...branches.map(([name, hash]) => render.branch(repository, name, hash)),
        ...tags.map(([, tag]) => render.tag(repository, tag)),
      ];
      return listing(context, request, refs, COMMIT_PAGES);
    }),
  );

  router.get(
    `${root}/branches`,
    guarded(['repository'], (request) => {
      const repository = repositoryOf(context, request);
      const branches = [...repository.branches]
        .toSorted(([a], [b]) => a.localeCompare(b))
        .map(([name, hash]) => render.branch(repository, name, hash));
      return listing(context, request, branches, COMMIT_PAGES);
    }),
  );

  router.get(
    `${root}/branches/:name`,
    guarded(['repository'], (request) => {
      const repository = repositoryOf(context, request);
      const { name = '' } = request.params;
      const hash = repository.branches.get(name);
      if (hash === undefined) throw new BitbucketApiError(404, `No such branch: ${name}`);
      return render.branch(repository, name, hash);
    }),
  );

  router.get(
    `${root}/tags`,
    guarded(['repository'], (request) => {
      const repository = repositoryOf(context, request);
      const tags = [...repository.tags.values()]
        .toSorted((a, b) => a.name.localeCompare(b.name))
        .map((tag) => render.tag(repository, tag));
      return listing(context, request, tags, COMMIT_PAGES);
    }),
  );

  router.get(
    `${root}/tags/:name`,
    guarded(['repository'], (request) => {
      const repository = repositoryOf(context, request);
      const { name = '' } = request.params;
      const tag = repository.tags.get(name);
      if (!tag) throw new BitbucketApiError(404, `No such tag: ${name}`);
      return render.tag(repository, tag);
    }),
  );
};
