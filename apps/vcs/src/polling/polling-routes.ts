import { firstOf, handle, type Router } from '@cds/service';
import {
  CdsError,
  vcsDeleteEventSchema,
  type VcsEvents,
  vcsEventsSchema,
  type VcsPollingInfo,
  vcsPollingInfoSchema,
  vcsPullRequestEventSchema,
  vcsPushEventSchema,
} from '@cds/wire';
import * as z from 'zod';
import type { BitbucketServer } from '../servers/bitbucket-server';
import { findServer } from '../servers/find-server';
import { grantedRoute, type RouteDeps } from '../servers/granted-route';
import { fullNameOf } from '../http/repository-ref';
import { ofServer, repositoryParams } from '../http/route-params';
import type { MainBranchOf } from '../repositories/main-branch';
import { EVENT_FILTERS, filterEvents } from './filter-events';
import type { FindEvents } from './find-events';
import { repositoryEventSchema } from './event-log';

const NANOSECONDS = 1_000_000_000;

const sinceQuery = z.object({
  since: firstOf(
    z
      .string()
      .regex(/^\d{0,12}$/, 'is a number of seconds since 1970')
      .default(''),
  ).meta({ description: 'Seconds since 1970; all known events when left out.' }),
});
const filterQuery = z.object({
  filter: firstOf(z.enum(EVENT_FILTERS, { error: `is one of ${EVENT_FILTERS.join(', ')}` })),
});

/** Only the list is checked here: an invalid event gets an error of its own. */
const anyEvents = z.array(z.unknown()).meta({ description: 'As `GET …/events` returned them.' });
const events = z.array(repositoryEventSchema);
const filteredEvents = z.array(
  z.union([vcsPushEventSchema, vcsPullRequestEventSchema, vcsDeleteEventSchema]),
);

/** The routes for hooks that poll a repository. */
export function addPollingRoutes(
  router: Router,
  deps: RouteDeps & { findEvents: FindEvents; mainBranchOf: MainBranchOf },
): void {
  router.get(
    '/vcs/:name/polling',
    { summary: 'Whether it can be polled', ...ofServer, answer: vcsPollingInfoSchema },
    () =>
      handle(async (req): Promise<VcsPollingInfo> => {
        const { polling } = findServer(deps.servers, req).config;
        return { polling_supported: polling, polling_disabled: false };
      }),
  );

  const path = '/vcs/:name/repos/:owner/:repo/events';
  router.get(
    path,
    {
      summary: 'Lists the events of a repository',
      description: 'Polls it, and returns its events since then. 501 unless polling is on.',
      params: repositoryParams,
      query: sinceQuery,
      answer: vcsEventsSchema,
      errors: ['notImplemented', 'unavailable'],
    },
    grantedRoute(deps, 'repositoryNotFound', async (call, { query }): Promise<VcsEvents> => {
      const { since } = query(call.req);
      refuseUnlessPolling(call.server);
      const found = await deps.findEvents(call, Number(since));
      return { events: found.events, delay: found.delaySeconds * NANOSECONDS };
    }),
  );

  router.post(
    path,
    {
      summary: 'Filters events',
      params: repositoryParams,
      query: filterQuery,
      body: anyEvents,
      answer: filteredEvents,
      errors: ['notImplemented'],
    },
    grantedRoute(deps, 'repositoryNotFound', async (call, { query, body }) => {
      const given = body(call.req);
      const { filter } = query(call.req);
      refuseUnlessPolling(call.server);
      if (given.length === 0) return [];
      const parsed = events.safeParse(given);
      if (!parsed.success)
        throw new CdsError('wrongRequest', {
          from: `these are not events of GET …/events: ${z.prettifyError(parsed.error).slice(0, 500)}`,
        });
      const repository = {
        fullName: fullNameOf(call.repo),
        mainBranch: await deps.mainBranchOf(call),
      };
      return filterEvents(parsed.data, filter, repository);
    }),
  );
}

/** CDS's own error: the API only asks where `/polling` returned true. */
function refuseUnlessPolling({ config }: BitbucketServer): void {
  if (!config.polling) throw new CdsError('notImplemented');
}
