import type { HookSettings } from '@cds/bitbucket';
import { type Router } from '@cds/service';
import { CdsError, type VcsHook, vcsHookSchema } from '@cds/wire';
import type { Request } from 'express';
import { z } from 'zod';
import type { ApiVersion } from '../http/api-version';
import { grantedRoute, type GrantedCall, type RouteDeps } from '../servers/granted-route';
import type { RunExclusive } from '../redis/run-exclusive';
import { fullNameOf, repoOf } from '../http/repository-ref';
import { queryText, repositoryParams } from '../http/route-params';
import { effectiveEvents } from './hook-events';
import { hookSchema } from './hook-schema';
import type { ManualWebhooks } from './manual-webhooks';
import { proxiedUrl } from './proxied-url';
import {
  findWebhook,
  type UpsertedWebhook,
  upsertWebhook,
  updateIfExists,
  webhookLock,
} from './upsert-webhook';
import { removeDuplicates } from './duplicate-webhooks';
import { toVcsHook } from './vcs-hook';
import type { WebhookKey } from './webhook-key';
import type { WebhookTracker } from './webhook-tracker';
import type { WebhookRepairs } from './webhook-repairs';
import { describeWebhook } from './webhook-rules';

export interface HookRouteDeps extends RouteDeps {
  manualWebhooks: ManualWebhooks;
  apiVersion: ApiVersion;
  runExclusive: RunExclusive;
  webhookKey: WebhookKey;
  webhookTracker: WebhookTracker;
  webhookRepairs: WebhookRepairs;
}

const foundBy = z.object({ url: queryText('Where it leads, as the API knows it.') });
const deletedBy = foundBy.extend({ id: queryText('Of the webhook at Bitbucket, or `url`.') });

/** The webhooks of a repository: creating, finding, updating, deleting. */
export function addHookRoutes(router: Router, deps: HookRouteDeps): void {
  const { webhookTracker, webhookRepairs } = deps;
  const path = '/vcs/:name/repos/:owner/:repo/hooks';

  router.post(
    path,
    {
      summary: 'Creates a webhook',
      description: 'Or updates the one with this URL.',
      params: repositoryParams,
      body: hookSchema,
      answer: vcsHookSchema,
    },
    ({ body }) =>
      grantedRoute(deps, 'notFound', async (call) => {
        const hook = readHook(call, body);
        const events = effectiveEvents(hook.events);
        const id = await upsert(call, '', hook, events);
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
    {
      summary: 'Updates a webhook',
      params: repositoryParams,
      body: hookSchema,
      answer: vcsHookSchema,
    },
    ({ body }) =>
      grantedRoute(deps, 'notFound', async (call) => {
        const hook = readHook(call, body);
        const events = effectiveEvents(hook.events);
        return { ...hook, id: await upsert(call, hook.id, hook, events), events };
      }),
  );

  router.get(
    path,
    {
      summary: 'Finds a webhook',
      params: repositoryParams,
      query: foundBy,
      answer: vcsHookSchema,
    },
    ({ query }) =>
      grantedRoute(deps, 'notFound', async (call) => {
        const { url } = query(call.req);
        const { found, duplicates, others } = await findWebhook(call, atBitbucket(call, url));
        const answered = call.answered();
        const listed = found && duplicates.length > 0 ? [found, ...duplicates, ...others] : others;
        if (answered) webhookRepairs.repairListed(answered, listed);
        if (!found) throw new CdsError('notFound');
        const hook = answered
          ? await webhookRepairs.repairLookedUp(answered, found, call.ctx)
          : found;
        return toVcsHook(hook, url);
      }),
  );

  router.delete(
    path,
    {
      summary: 'Deletes a webhook',
      description: 'A webhook that is gone already counts as deleted.',
      params: repositoryParams,
      query: deletedBy,
      answer: 'nothing',
    },
    ({ query }) =>
      grantedRoute(deps, 'notFound', async (call) => {
        const { id, url } = query(call.req);
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
        const urlThere = url === '' ? '' : atBitbucket(call, url);
        const isNamed = id !== '' && (await call.bitbucket.deleteHook(repo, id, call.ctx)).found;
        // The one that the API names may be gone, and another one there with the same URL.
        const uuid = isNamed || url === '' ? id : await deleteByUrl(call, urlThere);
        await webhookTracker.deleted(call, { url: urlThere, uuid: uuid || id });
      }),
  );

  /** The id at Bitbucket; '' when a person has to add the webhook. */
  async function upsert(
    call: GrantedCall,
    id: string,
    hook: VcsHook,
    events: string[],
  ): Promise<string> {
    const url = atBitbucket(call, hook.url);
    const settings: HookSettings = {
      url,
      description: describeWebhook(hook.name),
      events,
      active: true,
      secret: deps.webhookKey.secretOf(url),
    };
    if (call.server.config.disableWebHooksCreation) {
      const updated = await updateIfExists(call, id, settings);
      if (updated) {
        await webhookTracker.upserted(call, { url, events, uuid: updated.uuid }, hook.url);
        return updated.uuid;
      }
      await deps.manualWebhooks.add({ repository: fullNameOf(repoOf(call.req)), url, events });
      return '';
    }
    // Two replicas that both find none would both create one.
    const lock = webhookLock(repoOf(call.req), url);
    const { hook: webhook, others } = await deps.runExclusive(lock, call.ctx.signal, async () => {
      const upserted = await upsertWebhook(call, id, settings);
      await removeDuplicatesOf(deps, call, upserted);
      await webhookTracker.upserted(call, { url, events, uuid: upserted.hook.uuid }, hook.url);
      return upserted;
    });
    const answered = call.answered();
    if (answered) webhookRepairs.repairListed(answered, others);
    return webhook.uuid;
  }
}

/** Deletes all webhooks with this URL. @returns the uuid of the first, '' when there is none */
async function deleteByUrl(call: GrantedCall, url: string): Promise<string> {
  const { found, duplicates } = await findWebhook(call, url);
  const uuids = [found, ...duplicates].flatMap((hook) => hook?.uuid ?? []);
  for (const uuid of uuids) await call.bitbucket.deleteHook(repoOf(call.req), uuid, call.ctx);
  return uuids[0] ?? '';
}

/** Never rejects, since the API has what it asked for: the next repair tries again. */
async function removeDuplicatesOf(
  deps: HookRouteDeps,
  call: GrantedCall,
  upserted: UpsertedWebhook,
) {
  const repo = repoOf(call.req);
  const { hook, duplicates } = upserted;
  try {
    const { bitbucket } = call;
    await removeDuplicates(
      { bitbucket, repo, logger: deps.logger },
      { kept: hook, duplicates },
      call.ctx,
    );
  } catch (error) {
    deps.logger.warn(
      { err: error, repository: fullNameOf(repo), webhook: hook.uuid, url: hook.url },
      'duplicate webhook not removed: each push is delivered twice',
    );
  }
}

function readHook(call: GrantedCall, body: (req: Request) => VcsHook): VcsHook {
  if (call.server.config.disableWebHooks)
    throw new CdsError('forbidden', {
      from: `webhooks are disabled: set disableWebHooks = false for the VCS server ${call.server.config.name}`,
    });
  return body(call.req);
}

function atBitbucket(call: GrantedCall, url: string): string {
  return proxiedUrl(url, call.server.config.proxyWebhook);
}
