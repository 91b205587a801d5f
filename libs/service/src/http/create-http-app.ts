import express, { type Express, type Request, type RequestHandler } from 'express';
import { decoded } from '@cds/network';
import type { Tracing } from '@cds/tracing';
import { CdsError, type MonitoringStatus } from '@cds/wire';
import type { Logger } from '../logs/create-logger';
import type { Readiness } from '../create-readiness';
import type { Metrics } from '../metrics/create-metrics';
import { requestIdOf, setCommonHeaders } from './common-headers';
import { createErrorMiddleware } from './create-error-middleware';
import { createGuard, type Callers } from './create-guard';
import type { Router } from './create-router';
import type { ServiceDescription } from '../openapi/build-document';
import { createDocumentRouter } from '../openapi/document-router';
import { createMonitoringRouter } from './monitoring-router';
import { createRequestLog, createRequestMetrics, traceRequests } from './observe-requests';
import { readBody } from './read-body';
import { sendJson } from './send-json';
import { closeUnread } from './unread-body';

/** A build status carries its push twice and can pass 1 MiB. */
const BODY_LIMIT_BYTES = 10 * 1024 * 1024;

export interface HttpAppDeps {
  logger: Logger;
  callers: Callers;
  monitoring: () => Promise<MonitoringStatus>;
  /** Served at `/mon/metrics` when given; requests to the guarded routes are counted there. */
  metrics?: Metrics | undefined;
  /** Traces the requests to the guarded routes when given. */
  tracing?: Tracing | undefined;
  /** Served at `/mon/ready` when given. */
  readiness?: Pick<Readiness, 'refusal'> | undefined;
  /** Addresses and networks of proxies whose `X-Forwarded-For` is believed for `req.ip`. */
  trustedProxies?: readonly string[];
  /** Routes for everybody. They get the request unread. */
  open?: Router;
  /** Pages for people at `path`, with a guard of their own; they are no part of the description. */
  pages?: { path: string; handler: RequestHandler } | undefined;
  /** Routes for the CDS API. They get the whole body as a Buffer in `req.body`. */
  guarded: Router;
  /** When given, `/openapi.json` serves the descriptions of all routes, or 500 for a wrong one. */
  about?: ServiceDescription;
  /** Bytes, 10 MiB when not given. */
  bodyLimitBytes?: number | undefined;
  /** Milliseconds for which a sender may go on after its answer, 5,000 when not given. */
  lingerMs?: number | undefined;
  /** Milliseconds for which an answer of `/mon` is shared, 1,000 when not given. */
  sharedMs?: number | undefined;
}

/**
 * The HTTP side of a service: `/mon/…`, `/openapi.json`, the open routes, the guard, the guarded
 * routes. Every refusal has CDS's error body.
 */
export function createHttpApp(deps: HttpAppDeps): Express {
  const app = createApp(deps);
  const monitoring = createMonitoringRouter(deps);
  app.use('/mon', noOptions);
  app.use(monitoring.handler);
  app.use('/mon', notFound);
  if (deps.about) {
    const { about, open, guarded } = deps;
    app.use('/openapi.json', noOptions);
    app.use(createDocumentRouter(about, { monitoring, open, guarded }).handler);
    app.use('/openapi.json', notFound);
  }
  if (deps.open) app.use(deps.open.handler);
  if (deps.logger.isLevelEnabled('debug')) app.use(createRequestLog(deps.logger));
  if (deps.pages) app.use(deps.pages.path, deps.pages.handler);
  if (deps.metrics) app.use(createRequestMetrics(deps.metrics, deps.metrics.service));
  app.use(createGuard(deps.callers, deps.logger), noOptions);
  app.use(readBody(deps.bodyLimitBytes ?? BODY_LIMIT_BYTES));
  // After the guard, which admits the API alone, and the body, whose events have no context.
  if (deps.tracing) app.use(traceRequests(deps.tracing));
  app.use(deps.guarded.handler, notFound);
  const bodyOf = deps.callers.errorBody ?? ((error: CdsError) => error.toBody());
  app.use(
    createErrorMiddleware(deps.logger, (res, error) =>
      sendJson(res, error.status, bodyOf(error, requestIdOf(res))),
    ),
  );
  return app;
}

/** The part of a service that strangers may see: the open routes, and 404 for everything else. */
export function createPublicApp(
  deps: Pick<HttpAppDeps, 'logger' | 'trustedProxies' | 'lingerMs'> & { open: Router },
): Express {
  const app = createApp(deps);
  app.use(deps.open.handler, notFound, createErrorMiddleware(deps.logger));
  return app;
}

function createApp(deps: Pick<HttpAppDeps, 'trustedProxies' | 'lingerMs'>): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('strict routing');
  app.enable('case sensitive routing');
  app.use((req, res, next) => {
    setCommonHeaders(req, res);
    closeUnread(req, res, deps.lingerMs);
    const from = problemOf(req);
    next(from === undefined ? undefined : new CdsError('wrongRequest', { from }));
  });
  if (deps.trustedProxies?.length) app.set('trust proxy', [...deps.trustedProxies]);
  return app;
}

/** What is wrong with a request, whatever its route. */
function problemOf({ httpVersion, headers, path }: Request): string | undefined {
  // HTTP/1.1 demands it. Node's own refusal would have an empty body.
  if (httpVersion === '1.1' && headers.host === undefined) return 'the Host header is missing';
  // A malformed one (`%zz`) would make a route fail.
  const isMalformed = path.includes('%') && decoded(path) === undefined;
  return isMalformed ? 'invalid URL escape in the path' : undefined;
}

/** Express would answer OPTIONS by itself. */
const noOptions: RequestHandler = (req, _res, next) =>
  next(req.method === 'OPTIONS' ? new CdsError('notFound') : undefined);

const notFound: RequestHandler = (_req, _res, next) => next(new CdsError('notFound'));
