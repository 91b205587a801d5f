import type { NextFunction, Request, RequestHandler, Response, Router } from 'express';
import { BitbucketApiError } from './api-error';
import { parseQuery, sortBy } from './bbql';
import type { Json, Repository } from './model';
import type { OAuthServer } from './oauth-server';
import { queryOf, type PageLimits, type Pages } from './pagination';
import { selectFields } from './partial-response';
import type { Renderer } from './render';
import { requireScopes } from './scopes';
import type { RepositoryStore } from './repository-store';

/** What the routes of the API share. */
export interface ApiContext {
  store: RepositoryStore;
  oauth: OAuthServer;
  pages: Pages;
  render: Renderer;
}

export type Handler = (
  request: Request<Record<string, string>>,
  response: Response,
) => Json | undefined;

/** Wraps a handler: checks the token's scopes, applies `fields`, answers what is returned (nothing: 204). */
export function guarded(scopes: string[], handler: Handler): RequestHandler {
  return (request, response) => {
    requireScopes(grantedScopes(response), scopes);
    const answer = handler(request as Request<Record<string, string>>, response);
    if (answer === undefined) {
      response.status(204).end();
      return;
    }
    const fields = queryOf(request).get('fields');
    response.json(fields === null ? answer : selectFields(answer, fields));
  };
}

/** The scopes of the token that the request was sent with. */
export function grantedScopes(response: Response): string[] {
  return response.locals['scopes'] as string[];
}

/** A page of `items`, filtered by `q` and sorted by `sort` as the query asks. */
export function listing(
  context: ApiContext,
  request: Request,
  items: Json[],
  limits?: PageLimits,
): Json {
  const query = queryOf(request);
  const q = query.get('q');
  const sort = query.get('sort');
  const matching = q === null ? items : items.filter(parseQuery(q));
  return context.pages.page(request, sort === null ? matching : sortBy(matching, sort), limits);
}

/**
 * The repository of a route. One in a workspace of others is hidden.
 * @throws BitbucketApiError 404
 */
export function repositoryOf(
  context: ApiContext,
  request: Request<Record<string, string>>,
): Repository {
  const { workspace = '', slug = '' } = request.params;
  const found = context.store.repositories.get(`${workspace}/${slug}`);
  if (!found?.workspace.member)
    throw new BitbucketApiError(404, `Repository ${workspace}/${slug} not found`);
  return found;
}

/** The JSON object of a request. @throws BitbucketApiError 400 where there is none. */
export function bodyOf(request: Request): Json {
  const body: unknown = request.body;
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new BitbucketApiError(400, 'Bad request', {
      detail: 'A JSON object with Content-Type: application/json is needed.',
    });
  return body as Json;
}

/**
 * Lets a request through that carries a good token in the one place where it may stand.
 * @throws BitbucketApiError 401
 */
export function authenticate(oauth: OAuthServer): RequestHandler {
  return (request: Request, response: Response, next: NextFunction) => {
    if (queryOf(request).has('access_token'))
      throw new BitbucketApiError(
        401,
        'Token is invalid, expired, or not supported for this endpoint.',
        { detail: 'Access tokens are accepted in the Authorization header only (CHANGE-3052).' },
      );
    const [, token = ''] = /^Bearer (\S+)$/i.exec(request.get('authorization') ?? '') ?? [];
    const verdict = oauth.verdict(token);
    if (verdict.kind === 'expired')
      throw new BitbucketApiError(
        401,
        'Access token expired. Use your refresh token to obtain a new access token.',
      );
    if (verdict.kind === 'unknown')
      throw new BitbucketApiError(
        401,
        'Token is invalid, expired, or not supported for this endpoint.',
      );
    response.locals['scopes'] = verdict.scopes;
    response.set({
      'X-OAuth-Scopes': verdict.scopes.join(', '),
      'X-Credential-Type': 'oauth2',
    });
    next();
  };
}

/** Adds a group of routes to the router of the API. */
export type Routes = (router: Router, context: ApiContext) => void;
