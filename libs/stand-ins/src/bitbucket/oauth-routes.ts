import express, { Router, type Request, type Response } from 'express';
import { sendBadRequest, sendConsentPage } from './consent-page';
import { OAuthError, type OAuthServer } from './oauth-server';

/** What the user does at the consent page. */
export type Consent = 'auto' | 'ask' | 'deny';

export interface OAuthRouterDeps {
  oauth: OAuthServer;
  consent: () => Consent;
  /** Whose account it is. */
  user: string;
}

/** `/site/oauth2`: the page where a user agrees, and the token endpoint. */
export function createOAuthRouter(deps: OAuthRouterDeps): Router {
  const router = Router({ strict: true, caseSensitive: true });
  router.get('/authorize', (request, response) => authorizePage(deps, request, response));
  router.post('/authorize', express.urlencoded({ extended: false }), (request, response) => {
    const { state = '', answer = '' } = (request.body ?? {}) as Record<string, string>;
    sendBack(deps.oauth, response, state, answer === 'allow');
  });
  router.post(
    '/access_token',
    express.urlencoded({ extended: false, limit: '100kb' }),
    (request, response) => tokenEndpoint(deps.oauth, request, response),
  );
  return router;
}

function authorizePage(
  { oauth, consent, user }: OAuthRouterDeps,
  request: Request,
  response: Response,
): void {
  const query = new URL(request.originalUrl, 'http://stand-in').searchParams;
  const problem =
    query.get('client_id') !== oauth.consumer.clientId
      ? 'Invalid client_id: no OAuth consumer has this key.'
      : query.get('response_type') !== 'code'
        ? 'Unsupported response_type: only "code" is supported.'
        : query.has('redirect_uri') && query.get('redirect_uri') !== oauth.consumer.callbackUrl
          ? 'Invalid redirect_uri: it is not the callback of this consumer.'
          : undefined;
  if (problem) {
    sendBadRequest(response, problem);
    return;
  }
  const state = query.get('state') ?? '';
  const decision = consent();
  const { scopes } = oauth.consumer;
  if (decision === 'ask') sendConsentPage(response, { user, scopes, state });
  else sendBack(oauth, response, state, decision === 'auto');
}

/** The browser goes to the consumer's callback, with a code or with the refusal. */
function sendBack(oauth: OAuthServer, response: Response, state: string, allowed: boolean): void {
  const callback = new URL(oauth.consumer.callbackUrl);
  if (allowed) callback.searchParams.set('code', oauth.consent());
  else callback.searchParams.set('error', 'access_denied');
  if (state) callback.searchParams.set('state', state);
  response.status(302).set('Location', callback.href).end();
}

function tokenEndpoint(oauth: OAuthServer, request: Request, response: Response): void {
  response.set('Cache-Control', 'no-store');
  try {
    // A JSON body is not read at all, so that no grant type is found in it.
    const form = (request.body ?? {}) as Record<string, string | string[]>;
    const { clientId, clientSecret } = basicCredentials(request);
    oauth.checkClient(clientId, clientSecret);
    response.json(grant(oauth, form));
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error;
    response.status(400).json({ error: error.error, error_description: error.description });
  }
}

function grant(oauth: OAuthServer, form: Record<string, string | string[]>): unknown {
  const value = (name: string): string => (typeof form[name] === 'string' ? form[name] : '');
  const type = form['grant_type'];
  if (type === 'authorization_code') return oauth.exchangeCode(value('code'));
  if (type === 'refresh_token') return oauth.refresh(value('refresh_token'));
  const name = typeof type === 'string' ? type : 'None';
  throw oauth.refuse(new OAuthError('invalid_grant', `Unsupported grant type: ${name}`));
}

function basicCredentials(request: Request): { clientId: string; clientSecret: string } {
  const [scheme = '', credentials = ''] = (request.get('authorization') ?? '').split(' ');
  const text =
    scheme.toLowerCase() === 'basic' ? Buffer.from(credentials, 'base64').toString('utf8') : '';
  const colon = text.indexOf(':');
  return { clientId: text.slice(0, Math.max(colon, 0)), clientSecret: text.slice(colon + 1) };
}
