import { createErrorMiddleware, createUiUrl } from '@cds/service';
import { answeredByRedis } from '@cds/redis';
import { CdsError, isConsumerToken } from '@cds/wire';
import { type Request, type RequestHandler, type Response, Router } from 'express';
import type { ServerResponse } from 'node:http';
import type { Resources } from '../../resources';
import { absentIsUnknown, onlyOurState, type StateOfRoutes } from '../../state/guard-routes';
import { createAccess, onlyOwnForms, readForm, redirect } from './access';
import { ACTIONS, isActionName } from './actions';
import { cleanupPage } from './cleanup-page';
import { confirmPage } from './confirm-page';
import { deadLetterPage } from './dead-letter-page';
import { executionPage } from './execution-page';
import { hookListPage } from './hook-list-page';
import { hookPage } from './hook-page';
import { html } from './html';
import { layout, type Page } from './layout';
import { overviewPage } from './overview-page';
import { type PageDeps, pageRequest, type PageRequest, readQuery } from './page-deps';
import { pathOf, UI } from './paths';
import { schedulePage } from './schedule-page';
import { createSessions } from './sessions';
import { STYLE } from './style';
import { whyPage } from './why-page';

/** A list of dead letters may have many bodies to read. */
const PAGE_MS = 10_000;
/** Longer than the service works on all dead letters before it answers with `more`. */
const ACTION_MS = 30_000;

const HEADERS = new Map([
  ['Content-Type', 'text/html; charset=utf-8'],
  [
    'Content-Security-Policy',
    "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; " +
      "frame-ancestors 'none'",
  ],
  // Forms would have the origin `null` with a stricter one.
  ['Referrer-Policy', 'same-origin'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['X-Frame-Options', 'DENY'],
]);

/**
 * The pages for operators, to be mounted at {@link UI}; undefined where the configuration has no
 * password for them. They bring their own guard.
 */
export function createOperatorPages(
  resources: Resources,
  parts: Omit<PageDeps, keyof Resources | 'uiUrl'> & { state: StateOfRoutes },
): { path: string; handler: RequestHandler } | undefined {
  const { config, api, registration, logger } = resources;
  const { name: service, ui } = config;
  if (!ui) return undefined;
  // An API before CDS 0.44 does not know the address of its UI.
  const configured = isConsumerToken(config.api.token) ? ui.cdsUrl : (ui.cdsUrl ?? '');
  const uiUrl = createUiUrl({ configured, api, logger });
  registration.onHeartbeat(() => void uiUrl.refresh());
  const { state } = parts;
  const deps: PageDeps = { ...resources, ...parts, uiUrl: uiUrl.get };
  const sessions = createSessions(ui.password);
  const access = createAccess({ sessions, logger, service });
  const tokenOf = (request: Request): string | undefined => {
    const session = access.sessionOf(request);
    return session && sessions.formToken(session);
  };

  const send = (request: Request, response: Response, page: Page): void => {
    const { text } = layout(page, { service, formToken: tokenOf(request) });
    response.end(text);
  };
  const page =
    (make: (request: PageRequest) => Promise<Page>): RequestHandler =>
    async (request, response) => {
      const unwanted = new AbortController();
      // Answered, also because it took too long, or left by its reader.
      response.once('close', () => unwanted.abort());
      const formToken = tokenOf(request) ?? '';
      const asked = pageRequest(deps, request, { formToken, signal: unwanted.signal });
      const made = await answeredByRedis(() => make(asked), PAGE_MS);
      send(request, response, { ...made, said: saidOf(request) });
    };

  const act: RequestHandler = async (request, response) => {
    const name = String(request.params['action']);
    if (!isActionName(name)) throw new CdsError('notFound', { from: 'there is no such action' });
    const form = readQuery(request.body);
    const target = { uuid: form.text('uuid'), timestamp: form.text('timestamp') };
    const done = await answeredByRedis(() => ACTIONS[name].run(deps, target), ACTION_MS);
    logger.info({ action: name, ...target, ...done, address: request.ip }, 'operator acts');
    const place = ACTIONS[name].place(target);
    const query = new URLSearchParams({ done: name });
    for (const [counted, count] of Object.entries(done ?? {})) query.set(counted, String(count));
    redirect(response, `${place}${place.includes('?') ? '&' : '?'}${query.toString()}`);
  };

  const router = Router({ strict: true, caseSensitive: true });
  router.use((_request, response, next) => {
    response.setHeaders(HEADERS);
    next();
  });
  router.get('/style.css', (_request, response) => {
    response.setHeader('Content-Type', 'text/css; charset=utf-8');
    response.end(STYLE);
  });
  router.use(onlyOwnForms);
  router.get('/login', access.askForPassword);
  router.post('/login', readForm, access.logIn);
  router.use(access.signedIn);
  router.post('/logout', readForm, access.ownForm, access.logOut);
  router.get('/', page(overviewPage));
  // What follows is about the state in Redis.
  router.use(onlyOurState(state));
  router.get('/why', page(whyPage));
  router.get('/hooks', page(hookListPage));
  router.get('/hooks/:uuid', page(hookPage));
  router.get('/hooks/:uuid/executions/:timestamp', page(executionPage));
  router.get('/dead-letters', page(deadLetterPage));
  router.get('/cleanups', page(cleanupPage));
  router.get('/schedules', page(schedulePage));
  router.get('/confirm/:action', page(confirmPage));
  router.post('/do/:action', readForm, access.ownForm, act);
  router.use((_request, _response, next) =>
    next(new CdsError('notFound', { from: 'no such page' })),
  );
  router.use(absentIsUnknown(state));
  router.use((thrown: unknown, request: Request, response: Response, next: (e: unknown) => void) =>
    createErrorMiddleware(logger, (_res: ServerResponse, error) =>
      send(request, response, errorPage(error)),
    )(thrown, request, response, next),
  );
  return { path: UI, handler: router };
}

function errorPage(error: CdsError): Page {
  return {
    title: 'This did not work',
    body: html`<p class="note bad" role="alert">${error.message}</p>
      <p>Status ${error.status}, error ${error.uuid} in the log.</p>
      <p><a href="${pathOf('')}">Overview</a></p>`,
  };
}

/** What the action before this page did. */
function saidOf(request: Request): string | undefined {
  const query = readQuery(request.query);
  const name = query.text('done');
  return isActionName(name) ? ACTIONS[name].said(query) : undefined;
}
