import type { HookSettings } from '@cds/bitbucket';
import { readJson } from '@cds/service';
import { CdsError, type VcsHook } from '@cds/wire';
import type { Router } from 'express';
import type { ApiVersion } from '../api-version';
import { grantedRoute, type GrantedCall, type RouteDeps } from '../calls/granted-route';
import type { OneAtATime } from '../calls/one-at-a-time';
import { fullNameOf, queryText, repoOf } from '../calls/request-values';
import { eventsInForce } from './hook-events';
import { hookSchema } from './hook-schema';
import type { ManualWebhooks } from './manual-webhooks';
import { hookUuid, proxiedUrl } from './proxied-url';
import { findHook, putHookInForce, updateIfThere } from './put-hook-in-force';
import { toVcsHook } from './vcs-hook';

export interface HookRouteDeps extends RouteDeps {
  manualWebhooks: ManualWebhooks;
  apiVersion: ApiVersion;
  oneAtATime: OneAtATime;
}

/** The webhooks of a repository: creating, finding, updating, deleting. */
export function addHookRoutes(router: Router, deps: HookRouteDeps): void {
  const path = '/vcs/:name/repos/:owner/:repo/hooks';

  router.post(
    path,
    grantedRoute(deps, 'notFound', async (call) => {
      const hook = readHook(call);
      const events = eventsInForce(hook.events);
      const id = await put(call, '', hook, events);
      // CDS before 0.42 gets back what it sent; it does not know of events.
      const given = hook.events && hook.events.length > 0;
      return {
        ...hook,
        id,
        events: given || deps.apiVersion.atLeast(0, 42) ? events : hook.events,
      };
    }),
  );

  router.put(
    path,
    grantedRoute(deps, 'notFound', async (call) => {
      const hook = readHook(call);
      const events = eventsInForce(hook.events);
      return { ...hook, id: await put(call, hook.id, hook, events), events };
    }),
  );

  router.get(
    path,
    grantedRoute(deps, 'notFound', async (call) => {
      const url = queryText(call.req, 'url');
      const found = await findHook(call, atBitbucket(call, url));
      if (!found) throw new CdsError('notFound');
      return toVcsHook(found, url);
    }),
  );

  router.delete(
    path,
    grantedRoute(deps, 'notFound', async (call) => {
      const id = queryText(call.req, 'id');
      const url = queryText(call.req, 'url');
      if (id === '' && url === '')
        throw new CdsError('wrongRequest', {
          from: 'name the webhook in the query: ?url= or ?id=',
        });
      const repo = repoOf(call.req);
      if (id === '' && call.server.config.disableWebHooksCreation)
        return deps.manualWebhooks.remove({
          repository: fullNameOf(repo),
          url: atBitbucket(call, url),
        });
      const uuid = id || (await findHook(call, atBitbucket(call, url)))?.uuid;
      // Gone already is as good as deleted.
      if (uuid !== undefined) await call.bitbucket.deleteHook(repo, uuid, call.ctx);
    }),
  );

  /** The id at Bitbucket; '' when a person has to add the webhook. */
  async function put(
    call: GrantedCall,
    id: string,
    hook: VcsHook,
    events: string[],
  ): Promise<string> {
    const url = atBitbucket(call, hook.url);
    const settings: HookSettings = {
      url,
      description: `CDS webhook - ${hook.name}`,
      events,
      active: true,
    };
    if (call.server.config.disableWebHooksCreation) {
      const updated = await updateIfThere(call, id, settings);
      if (updated) return updated.uuid;
      await deps.manualWebhooks.add({ repository: fullNameOf(repoOf(call.req)), url, events });
      return '';
    }
    // Two replicas that both find none would both create one.
    const lock = `cdsbb:vcs:hook:${fullNameOf(repoOf(call.req))}:${hookUuid(url)}`;
    const work = () => putHookInForce(call, id, settings);
    return (await deps.oneAtATime(lock, call.ctx.signal, work)).uuid;
  }
}

function readHook(call: GrantedCall): VcsHook {
  if (call.server.config.disableWebHooks)
    throw new CdsError('forbidden', {
      from: `webhooks are disabled: set disableWebHooks = false for the VCS server ${call.server.config.name}`,
    });
  return readJson(call.req, hookSchema);
}

function atBitbucket(call: GrantedCall, url: string): string {
  return proxiedUrl(url, call.server.config.proxyWebhook);
}
