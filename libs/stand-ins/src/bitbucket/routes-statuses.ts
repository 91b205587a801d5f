import { BitbucketApiError, invalidField } from './api-error';
import { bodyOf, guarded, listing, repositoryOf, type Routes } from './api-context';
import { STATUS_STATES, type BuildStatus, type Json } from './model';
import { checkedLength, checkedUrl } from './field-checks';
import { commitInPath } from './routes-commits';

const MAX_KEY_LENGTH = 40;
const MAX_TEXT_LENGTH = 255;
/** Of Bitbucket's fields the shortest of which anybody tells. */
const MAX_URL_LENGTH = 450;

/** Build statuses of a commit, by key. */
export const statusRoutes: Routes = (router, context) => {
  const { render } = context;
  const root = '/repositories/:workspace/:slug/commit/:commit/statuses';

  router.get(
    root,
    guarded(['repository'], (request) => {
      const repository = repositoryOf(context, request);
      const { hash } = commitInPath(repository, request);
      const statuses = [...(repository.statuses.get(hash)?.values() ?? [])]
        .toSorted((a, b) => a.createdOn.localeCompare(b.createdOn))
        .map((status) => render.status(repository, hash, status));
      return listing(context, request, statuses);
    }),
  );

  router.post(
    `${root}/build`,
    guarded(['repository'], (request, response) => {
      const repository = repositoryOf(context, request);
      const { hash } = commitInPath(repository, request);
      const body = bodyOf(request);
      const key = requiredText(body, 'key');
      checkedLength('key', key, MAX_KEY_LENGTH);
      const ofCommit = repository.statuses.get(hash) ?? new Map<string, BuildStatus>();
      repository.statuses.set(hash, ofCommit);
      const before = ofCommit.get(key);
      const status = written(key, body, before);
      ofCommit.set(key, status);
      response.status(before ? 200 : 201);
      return render.status(repository, hash, status);
    }),
  );

  for (const method of ['get', 'put'] as const)
    router[method](
      `${root}/build/:key`,
      guarded(['repository'], (request) => {
        const repository = repositoryOf(context, request);
        const { hash } = commitInPath(repository, request);
        const { key = '' } = request.params;
        const found = repository.statuses.get(hash)?.get(key);
        if (!found) throw new BitbucketApiError(404, `No build status with key ${key}`);
        if (method === 'get') return render.status(repository, hash, found);
        const status = written(key, { ...asBody(found), ...bodyOf(request) }, found);
        repository.statuses.get(hash)?.set(key, status);
        return render.status(repository, hash, status);
      }),
    );
};

function asBody({ state, url, name, description, refname }: BuildStatus): Json {
  return { state, url, name, description, refname };
}

/** The status that a body asks for. @throws BitbucketApiError 400 */
function written(key: string, body: Json, before: BuildStatus | undefined): BuildStatus {
  const asked = requiredText(body, 'state');
  const state = STATUS_STATES.find((one) => one === asked);
  if (!state) throw invalidField('state', `"${asked}" is not one of ${STATUS_STATES.join(', ')}`);
  const url = checkedLength('url', checkedUrl('url', requiredText(body, 'url')), MAX_URL_LENGTH);
  for (const field of ['name', 'description', 'refname'])
    checkedLength(field, optionalText(body, field) ?? '', MAX_TEXT_LENGTH);
  const now = new Date().toISOString();
  return {
    key,
    state,
    url,
    name: optionalText(body, 'name') ?? key,
    description: optionalText(body, 'description') ?? '',
    refname: optionalText(body, 'refname') ?? null,
    createdOn: before?.createdOn ?? now,
    updatedOn: now,
    writes: (before?.writes ?? 0) + 1,
  };
}

export function requiredText(body: Json, field: string): string {
  const value = body[field];
  if (typeof value === 'string' && value !== '') return value;
  throw new BitbucketApiError(400, 'Bad request', {
    fields: { [field]: ['required key not provided'] },
  });
}

function optionalText(body: Json, field: string): string | undefined {
  const value = body[field];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw invalidField(field, 'expected a string');
  return value;
}
