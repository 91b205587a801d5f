import { handle, readJson } from '@cds/service';
import { CdsError, type VcsEvents, type VcsPollingInfo } from '@cds/wire';
import type { Request, Router } from 'express';
import { z } from 'zod';
import type { BitbucketServer } from '../bitbucket-server';
import { findServer } from '../calls/find-server';
import { grantedRoute, type RouteDeps } from '../calls/granted-route';
import { fullNameOf, queryText, repoOf } from '../calls/request-values';
import type { MainBranchOf } from '../repositories/main-branch';
import { EVENT_FILTERS, filterEvents, type EventFilter } from './filter-events';
import type { FindEvents } from './find-events';
import { repositoryEventSchema } from './repository-event';

const NANOSECONDS = 1_000_000_000;

const eventsSchema = z.array(repositoryEventSchema);

/** What CDS asks on behalf of hooks that poll a repository. */
export function addPollingRoutes(
  router: Router,
  deps: RouteDeps & { findEvents: FindEvents; mainBranchOf: MainBranchOf },
): void {
  router.get(
    '/vcs/:name/polling',
    handle(async (req): Promise<VcsPollingInfo> => {
      const { polling } = findServer(deps.servers, req).config;
      return { polling_supported: polling, polling_disabled: false };
    }),
  );

  const path = '/vcs/:name/repos/:owner/:repo/events';
  router.get(
    path,
    grantedRoute(deps, 'repositoryNotFound', async (call): Promise<VcsEvents> => {
      const since = sinceOf(call.req);
      refuseUnlessPolling(call.server);
      const { events, delaySeconds } = await deps.findEvents(call, since);
      return { events, delay: delaySeconds * NANOSECONDS };
    }),
  );

  router.post(
    path,
    grantedRoute(deps, 'repositoryNotFound', async (call) => {
      const events = readJson(call.req, z.array(z.unknown()));
      const filter = filterOf(call.req);
      refuseUnlessPolling(call.server);
      if (events.length === 0) return [];
      const parsed = eventsSchema.safeParse(events);
      if (!parsed.success)
        throw new CdsError('wrongRequest', {
          from: `these are not events of GET …/events: ${z.prettifyError(parsed.error).slice(0, 500)}`,
        });
      const repository = {
        fullName: fullNameOf(repoOf(call.req)),
        mainBranch: await deps.mainBranchOf(call),
      };
      return filterEvents(parsed.data, filter, repository);
    }),
  );
}

/** Seconds since 1970; 0 when left out. */
function sinceOf(req: Request): number {
  const since = queryText(req, 'since');
  if (!/^\d{0,12}$/.test(since))
    throw new CdsError('wrongRequest', { from: 'since is a number of seconds since 1970' });
  return Number(since);
}

function filterOf(req: Request): EventFilter {
  const filter = EVENT_FILTERS.find((one) => one === queryText(req, 'filter'));
  if (filter) return filter;
  throw new CdsError('wrongRequest', { from: `filter is one of ${EVENT_FILTERS.join(', ')}` });
}

/** In CDS's words: the API asks only where `/polling` said yes, and the operator guide says how to switch it on. */
function refuseUnlessPolling({ config }: BitbucketServer): void {
  if (!config.polling) throw new CdsError('notImplemented');
}
