import { readJson } from '@cds/service';
import { CdsError } from '@cds/wire';
import type { Router } from 'express';
import { z } from 'zod';
import { grantedRoute, type RouteDeps } from '../calls/granted-route';
import { queryText } from '../calls/request-values';

const EVENT_FILTERS = ['push', 'create', 'delete', 'pullrequests'];

const eventsSchema = z.array(z.unknown());

/** What CDS can ask of a VCS server and Bitbucket Cloud does not have; CDS's service answers 501 too. */
export function addNotImplementedRoutes(router: Router, deps: RouteDeps): void {
  const notImplemented = grantedRoute(deps, 'notFound', async () => {
    throw new CdsError('notImplemented');
  });
  router.post('/vcs/:name/repos/:owner/:repo/grant', notImplemented);
  router.post('/vcs/:name/repos/:owner/:repo/releases', notImplemented);
  router.post(
    '/vcs/:name/repos/:owner/:repo/releases/:release/artifacts/:artifactName',
    notImplemented,
  );

  router.get(
    '/vcs/:name/repos/:owner/:repo/events',
    grantedRoute(deps, 'notFound', async ({ req }) => {
      const since = queryText(req, 'since');
      if (!/^\d*$/.test(since))
        throw new CdsError('wrongRequest', { from: 'since is a number of seconds since 1970' });
      throw new CdsError('notImplemented');
    }),
  );

  router.post(
    '/vcs/:name/repos/:owner/:repo/events',
    grantedRoute(deps, 'notFound', async ({ req }) => {
      readJson(req, eventsSchema);
      if (!EVENT_FILTERS.includes(queryText(req, 'filter')))
        throw new CdsError('wrongRequest', {
          from: `filter is one of ${EVENT_FILTERS.join(', ')}`,
        });
      throw new CdsError('notImplemented');
    }),
  );
}
