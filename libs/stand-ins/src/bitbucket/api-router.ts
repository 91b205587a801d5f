import express, { Router, type NextFunction, type Request, type Response } from 'express';
import { BitbucketApiError } from './api-error';
import { authenticate, type ApiContext } from './api-context';
import { REPOSITORY_EVENTS } from './hook-events';
import { createPages } from './pagination';
import type { RateLimit } from './rate-limit';
import { accountRoutes } from './routes-accounts';
import { commitRoutes } from './routes-commits';
import { pullRequestRoutes } from './routes-pull-requests';
import { refRoutes } from './routes-refs';
import { reportRoutes } from './routes-reports';
import { sourceRoutes } from './routes-source';
import { statusRoutes } from './routes-statuses';
import { webhookRoutes } from './routes-webhooks';

/** Listings over all workspaces, gone since 14 April 2026. */
const REMOVED = [
  '/repositories',
  '/workspaces',
  '/user/permissions/repositories',
  '/user/permissions/workspaces',
  '/snippets',
];

const CHANGELOG = 'https://developer.atlassian.com/cloud/bitbucket/changelog#CHANGE-2770';

/** `/2.0`: the API. Trailing slashes, unknown paths and refs with a bare `/` are 404. */
export function createApiRouter(
  context: Omit<ApiContext, 'pages'> & {
    publicUrl: () => string;
    rateLimit: RateLimit;
    tellsSize: boolean;
    /** Done before a page that is not the first of its list. */
    beforeNextPage: () => Promise<void>;
  },
): Router {
  const router = Router({ strict: true, caseSensitive: true });
  const shared: ApiContext = {
    ...context,
    pages: createPages(context.publicUrl, context.tellsSize),
  };

  router.get('/hook_events/:subject', (request, response) => {
    if (!['repository', 'workspace'].includes(request.params.subject))
      throw new BitbucketApiError(404, 'Resource not found');
    const values = REPOSITORY_EVENTS.map((event) => ({ event, label: event, category: 'Any' }));
    response.json({ pagelen: values.length, values });
  });
  for (const path of REMOVED)
    router.get(path, () => {
      throw new BitbucketApiError(410, 'CHANGE-2770 - Functionality has been deprecated', {
        detail: 'Please read the changelog entry for more details.',
        data: { announcement_url: CHANGELOG },
      });
    });

  router.use(authenticate(context.oauth, context.issued));
  router.use('/repositories', context.rateLimit.middleware);
  router.use((request, _response, next) => {
    if (request.query['page'] === undefined) return next();
    context.beforeNextPage().then(() => next(), next);
  });
  router.use(express.json({ limit: '1mb' }));
  for (const routes of [
    accountRoutes,
    refRoutes,
    commitRoutes,
    statusRoutes,
    sourceRoutes,
    reportRoutes,
    pullRequestRoutes,
    webhookRoutes,
  ])
    routes(router, shared);
  router.use(() => {
    throw new BitbucketApiError(404, 'Resource not found');
  });
  router.use(answerError);
  return router;
}

/** Every refusal in Bitbucket's envelope. */
export function answerError(
  error: unknown,
  _request: Request,
  response: Response,
  next: NextFunction,
): void {
  if (response.headersSent) {
    next(error);
    return;
  }
  const status = (error as { status?: unknown }).status;
  const refusal =
    error instanceof BitbucketApiError
      ? error
      : typeof status === 'number' && status < 500
        ? new BitbucketApiError(status, 'Bad request')
        : new BitbucketApiError(500, `Something went wrong: ${String(error)}`);
  response.status(refusal.status).json(refusal.toBody());
}
