import { parseUrl } from '@cds/network';
import type { Logger } from '@cds/service';
import { CdsError } from '@cds/wire';
import express, { type Request, type RequestHandler, type Response } from 'express';
import { createAddressLimit } from '../../webhooks/refusal-limit';
import { layout } from './layout';
import { loginPage } from './login-page';
import { readQuery } from './page-deps';
import { pathOf, UI } from './paths';
import type { Sessions } from './sessions';

/** Wrong passwords of an address in the window; then even the right one is refused. */
export const MAX_WRONG = 10;
const WINDOW_MS = 5 * 60_000;
const COOKIE = 'cdsbb_hooks_ui';
/** A form has a password, or two names of an execution, and its token. */
const MAX_FORM_BYTES = 8_192;
/** A path of these pages, for after the login; never another origin. */
const OWN_PATH = /^\/admin\/ui(?:\/[\w/-]*)?(?:\?[\w=&%.+*-]*)?$/;

/** Sessions of a request that are looked at; a browser has one. */
const MAX_SESSIONS = 5;

const parseForm: RequestHandler = express.urlencoded({
  ...{ extended: false, limit: MAX_FORM_BYTES, parameterLimit: 20 },
});

/** A request to these pages, and what it sends. */
export const readForm: RequestHandler = (request, response, next) => {
  parseForm(request, response, (error?: unknown) => {
    // The error of a form has all of it, a password too, and is logged.
    if (error instanceof Error) Reflect.deleteProperty(error, 'body');
    next(error);
  });
};

/** Refuses a form of another origin: the browser says where it comes from, old ones too. */
export const onlyOwnForms: RequestHandler = (request, _response, next) => {
  next(request.method === 'POST' && isForeign(request) ? foreignForm() : undefined);
};

function isForeign({ headers }: Request): boolean {
  // Behind a proxy that changes Host, this alone is right. Sent over https and to localhost.
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  const { origin, host = '' } = headers;
  if (origin === undefined) return false;
  return parseUrl(origin)?.host !== host.toLowerCase();
}

function foreignForm(): CdsError {
  return new CdsError('forbidden', {
    from:
      'the form was sent by a page of another origin. ' +
      'Behind a proxy: it has to pass on Host, or serve https',
  });
}

/** Who is signed in, the login and the logout. */
export function createAccess(deps: { sessions: Sessions; logger: Logger; service: string }) {
  const { sessions, logger, service } = deps;
  const limit = createAddressLimit(MAX_WRONG, WINDOW_MS);

  function askForPassword(response: Response, next: string, error?: string): void {
    response.end(layout(loginPage({ next, error }), { service }).text);
  }

  /** The token of the session; undefined where nobody is signed in. */
  function sessionOf({ headers }: Request): string | undefined {
    const tokens = (headers.cookie ?? '').split(';').flatMap((pair) => {
      const [name = '', value] = pair.trim().split('=', 2);
      return name === COOKIE && value !== undefined ? [value] : [];
    });
    return tokens.slice(0, MAX_SESSIONS).find((token) => sessions.isValid(token));
  }

  function cookieOf(request: Request) {
    // A proxy that terminates TLS need not tell us, but the browser names its own origin.
    const secure = request.secure || (request.headers.origin ?? '').startsWith('https://');
    return { httpOnly: true, sameSite: 'strict', path: UI, secure } as const;
  }

  return {
    sessionOf,

    /** Leads who is not signed in to the login. */
    signedIn: ((request, response, next) => {
      if (sessionOf(request) !== undefined) return next();
      const isPage = request.method === 'GET' && request.originalUrl !== UI;
      redirect(response, pathOf('/login', { next: isPage ? request.originalUrl : '' }));
    }) satisfies RequestHandler,

    /** Refuses a form that this session did not get. Behind {@link readForm}. */
    ownForm: ((request, _response, next) => {
      const session = sessionOf(request);
      const given = readQuery(request.body).text('token');
      const isOwn = session !== undefined && sessions.isFormToken(session, given);
      const from = 'the form is not of this session: load the page again';
      next(isOwn ? undefined : new CdsError('forbidden', { from }));
    }) satisfies RequestHandler,

    askForPassword: ((request, response) => {
      askForPassword(response, nextOf(readQuery(request.query).text('next')));
    }) satisfies RequestHandler,

    /** Behind {@link readForm}. */
    logIn: ((request, response) => {
      const address = request.ip ?? '';
      const form = (request.body ?? {}) as Record<string, unknown>;
      const next = nextOf(readQuery(form).text('next'));
      const seconds = limit.retryAfter(address);
      if (seconds !== undefined) {
        response.status(429).setHeader('Retry-After', seconds);
        const error = `Too many wrong passwords: try again in ${seconds} seconds.`;
        return askForPassword(response, next, error);
      }
      const { password } = form;
      if (typeof password === 'string' && sessions.isPassword(password)) {
        logger.info({ address }, 'operator signed in');
        response.cookie(COOKIE, sessions.start(), cookieOf(request));
        return redirect(response, next || UI);
      }
      const wrong = limit.count(address);
      if (wrong === 1 || wrong === MAX_WRONG)
        logger.warn({ address, wrong }, 'login of an operator refused');
      response.status(401);
      askForPassword(response, next, 'The password is wrong.');
    }) satisfies RequestHandler,

    logOut: ((request, response) => {
      response.clearCookie(COOKIE, cookieOf(request));
      redirect(response, pathOf('/login'));
    }) satisfies RequestHandler,
  };
}

function nextOf(given: string): string {
  return OWN_PATH.test(given) ? given : '';
}

/** As GET, whatever the method was. */
export function redirect(response: Response, path: string): void {
  response.statusCode = 303;
  response.setHeader('Location', path);
  response.removeHeader('Content-Type');
  response.end();
}
