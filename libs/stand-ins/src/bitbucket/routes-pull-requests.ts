import { BitbucketApiError, invalidField } from './api-error';
import {
  bodyOf,
  guarded,
  listing,
  repositoryOf,
  type ApiContext,
  type Routes,
} from './api-context';
import { valueAt } from './bbql';
import { isAncestor } from './commit-graph';
import {
  PULL_REQUEST_STATES,
  type Json,
  type PullRequest,
  type PullRequestState,
  type Repository,
} from './model';
import { checkedLength } from './field-checks';
import { PULL_REQUEST_PAGES, queryOf } from './pagination';
import { requiredText } from './routes-statuses';
import type { RepositoryStore } from './repository-store';

const MAX_COMMENT_LENGTH = 32_768;

/** Pull requests and their comments. */
export const pullRequestRoutes: Routes = (router, context) => {
  const root = '/repositories/:workspace/:slug/pullrequests';
  const rendered = (repository: Repository, one: PullRequest): Json =>
    context.render.pullRequest(repository, one, (name) => repositoryNamed(context.store, name));

  router.get(
    root,
    guarded(['pullrequest'], (request) => {
      const repository = repositoryOf(context, request);
      const query = queryOf(request);
      const asked = query.getAll('state');
      const unknown = asked.find((state) => !isState(state));
      if (unknown !== undefined) throw new BitbucketApiError(400, `Invalid state: ${unknown}`);
      // A filter replaces `state`; with neither, only open ones are listed.
      const states = asked.length ? asked : ['OPEN'];
      const listed = query.has('q')
        ? repository.pullRequests
        : repository.pullRequests.filter(({ state }) => states.includes(state));
      const newestFirst = listed.toReversed().map((one) => rendered(repository, one));
      return listing(context, request, newestFirst, PULL_REQUEST_PAGES);
    }),
  );

  router.get(
    `${root}/:id`,
    guarded(['pullrequest'], (request) => {
      const repository = repositoryOf(context, request);
      return rendered(repository, pullRequestOf(repository, request.params['id']));
    }),
  );

  router.post(
    root,
    guarded(['pullrequest:write'], (request, response) => {
      const repository = repositoryOf(context, request);
      const body = bodyOf(request);
      const created = createPullRequest(context.store, repository, {
        title: requiredText(body, 'title'),
        description: textAt(body, 'description') ?? '',
        sourceBranch: textAt(body, 'source.branch.name'),
        sourceRepository: textAt(body, 'source.repository.full_name'),
        destinationBranch: textAt(body, 'destination.branch.name'),
      });
      response.status(201);
      return rendered(repository, created);
    }),
  );

  router.post(
    `${root}/:id/comments`,
    guarded(['pullrequest'], (request, response) => {
      const repository = repositoryOf(context, request);
      const pullRequest = pullRequestOf(repository, request.params['id']);
      const raw = textAt(bodyOf(request), 'content.raw');
      if (!raw)
        throw new BitbucketApiError(400, 'Bad request', {
          fields: { 'content.raw': ['required key not provided'] },
        });
      checkedLength('content.raw', raw, MAX_COMMENT_LENGTH);
      const comment = {
        id: pullRequest.comments.length + 1,
        raw,
        author: context.store.account,
        createdOn: new Date().toISOString(),
      };
      pullRequest.comments.push(comment);
      response.status(201);
      return renderedComment(context, pullRequest, comment);
    }),
  );
};

function isState(text: string): text is PullRequestState {
  return (PULL_REQUEST_STATES as readonly string[]).includes(text);
}

function textAt(body: Json, path: string): string | undefined {
  const value = valueAt(body, path);
  return typeof value === 'string' ? value : undefined;
}

function renderedComment(
  context: ApiContext,
  pullRequest: PullRequest,
  comment: PullRequest['comments'][number],
): Json {
  return {
    type: 'pullrequest_comment',
    id: comment.id,
    created_on: comment.createdOn,
    updated_on: comment.createdOn,
    deleted: false,
    content: { type: 'rendered', raw: comment.raw, markup: 'markdown', html: '' },
    user: context.render.account(comment.author),
    pullrequest: { type: 'pullrequest', id: pullRequest.id, title: pullRequest.title },
  };
}

/** @throws BitbucketApiError 404 */
export function pullRequestOf(repository: Repository, id: string | undefined): PullRequest {
  const found = repository.pullRequests.find((one) => String(one.id) === id);
  if (!found) throw new BitbucketApiError(404, `Pull request ${id ?? ''} not found`);
  return found;
}

export function repositoryNamed(store: RepositoryStore, fullName: string): Repository {
  const found = store.repositories.get(fullName);
  if (!found) throw new BitbucketApiError(404, `Repository ${fullName} not found`);
  return found;
}

export interface NewPullRequest {
  title: string;
  description?: string;
  sourceBranch: string | undefined;
  sourceRepository?: string | undefined;
  destinationBranch?: string | undefined;
}

/** Opens a pull request. @throws BitbucketApiError 400 or 404 */
export function createPullRequest(
  store: RepositoryStore,
  repository: Repository,
  asked: NewPullRequest,
): PullRequest {
  if (!asked.sourceBranch)
    throw new BitbucketApiError(400, 'Bad request', {
      fields: { 'source.branch.name': ['required key not provided'] },
    });
  const sourceRepository = repositoryNamed(store, asked.sourceRepository ?? repository.fullName);
  const destinationBranch = asked.destinationBranch ?? repository.mainBranch;
  const sourceHash = sourceRepository.branches.get(asked.sourceBranch);
  const destinationHash = repository.branches.get(destinationBranch);
  if (!sourceHash) throw invalidField('source', `branch not found: ${asked.sourceBranch}`);
  if (!destinationHash) throw invalidField('destination', `branch not found: ${destinationBranch}`);
  const bringsNothing =
    repository === sourceRepository && isAncestor(repository, sourceHash, destinationHash);
  if (bringsNothing) throw new BitbucketApiError(400, 'There are no changes to be pulled');
  const now = new Date().toISOString();
  const created: PullRequest = {
    id: repository.pullRequests.length + 1,
    title: asked.title,
    description: asked.description ?? '',
    state: 'OPEN',
    author: store.account,
    createdOn: now,
    updatedOn: now,
    source: {
      fullName: sourceRepository.fullName,
      branch: asked.sourceBranch,
      hash: sourceHash,
    },
    destination: {
      fullName: repository.fullName,
      branch: destinationBranch,
      hash: destinationHash,
    },
    comments: [],
  };
  repository.pullRequests.push(created);
  return created;
}
