import type { NextFunction, Request, RequestHandler, Response, Router } from 'express';
import { BitbucketApiError } from './api-error';
import { parseQuery, sortBy } from './bbql';
import type { Json, Repository } from './model';
import type { OAuthServer } from './oauth-server';
import { queryOf, type PageLimits, type Pages } from './pagination';
import { selectFields } from './partial-response';
import type { Renderer } from './render';
import type { Credential, IssuedTokens } from './issued-tokens';
import { requireApiTokenScopes, requireScopes } from './scopes';
import type { RepositoryStore } from './repository-store';

/** What the routes of the API share. */
export interface ApiContext {
  store: RepositoryStore;
  oauth: OAuthServer;
  issued: IssuedTokens;
  pages: Pages;
  render: Renderer;
}

export type Handler = (
  request: Request<Record<string, string>>,
  response: Response,
) => Json | undefined;

/**
 * Wraps a handler: checks the token's scopes, applies `fields`, answers what is returned (nothing:
 * 204).
 */
export function guarded(scopes: string[], handler: Handler): RequestHandler {
  return (request, response) => {
    requireScopesOf(response, scopes);
    const answer = handler(request as Request<Record<string, string>>, response);
    if (answer === undefined) {
      response.status(204).end();
      return;
    }
    const fields = queryOf(request).get('fields');
    response.json(fields === null ? answer : selectFields(answer, fields));
  };
}

/** The credential that the request was sent with. */
export function credentialOf(response: Response): Credential {
  return response.locals['credential'] as Credential;
}

/**
 * @param required in the names of OAuth
 * @throws BitbucketApiError 403 where the credential of the request lacks one
 */
export function requireScopesOf(response: Response, required: string[]): void {
  const { kind, scopes } = credentialOf(response);
  if (kind === 'api-token') requireApiTokenScopes(scopes, required, response.req);
  else requireScopes(scopes, required);
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
 * The repository of a route. One in a workspace of others, or beyond an access token, is hidden.
 * @throws BitbucketApiError 404
 */
export function repositoryOf(
  context: ApiContext,
  request: Request<Record<string, string>>,
): Repository {
  const { workspace = '', slug = '' } = request.params;
  const found = context.store.repositories.get(`${workspace}/${slug}`);
  const only = request.res && credentialOf(request.res);
  const isBeyond =
    (only?.workspace ?? workspace) !== workspace || (only?.repository ?? slug) !== slug;
  if (!found?.workspace.member || isBeyond)
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

const INVALID_TOKEN = 'Token is invalid, expired, or not supported for this endpoint.';

/**
 * Lets a request through that carries a good token in the one place where it may stand.
 * @throws BitbucketApiError 401
 */
export function authenticate(oauth: OAuthServer, issued: IssuedTokens): RequestHandler {
  return (request: Request, response: Response, next: NextFunction) => {
    if (queryOf(request).has('access_token'))
      throw new BitbucketApiError(401, INVALID_TOKEN, {
        detail: 'Access tokens are accepted in the Authorization header only (CHANGE-3052).',
      });
    const credential = credentialIn(request.get('authorization') ?? '', oauth, issued);
    const isOfUser = credential?.kind !== 'access-token';
    if (!credential || (!isOfUser && request.path.startsWith('/user'))) {
      response.set('WWW-Authenticate', 'Basic realm="Bitbucket.org HTTP"');
      throw new BitbucketApiError(401, INVALID_TOKEN);
    }
    response.locals['credential'] = credential;
    response.set({
      'X-OAuth-Scopes': credential.scopes.join(', '),
      'X-Credential-Type': credential.kind.replace('-', '_'),
    });
    next();
  };
}

/** @throws BitbucketApiError 401 for a token whose time is over */
function credentialIn(
  authorization: string,
  oauth: OAuthServer,
  issued: IssuedTokens,
): Credential | undefined {
  const [, scheme = '', value = ''] = /^(Bearer|Basic) (\S+)$/i.exec(authorization) ?? [];
  if (scheme.toLowerCase() === 'basic') {
    const [user = '', ...password] = Buffer.from(value, 'base64').toString('utf8').split(':');
    return issued.ofBasic(user, password.join(':'));
  }
  const verdict = oauth.verdict(value);
  if (verdict.kind === 'expired')
    throw new BitbucketApiError(
      401,
      'Access token expired. Use your refresh token to obtain a new access token.',
    );
  if (verdict.kind === 'unknown') return issued.ofBearer(value);
  return { kind: 'oauth2', scopes: verdict.scopes, counter: oauth.consumer.clientId };
}

/** Adds a group of routes to the router of the API. */
export type Routes = (router: Router, context: ApiContext) => void;
