import type { HookSettings } from '@cds/bitbucket';
import { handle, type Router } from '@cds/service';
import {
  CdsError,
  type VcsHook,
  vcsHookSchema,
  type VcsWebhooksInfo,
  vcsWebhooksInfoSchema,
} from '@cds/wire';
import type { Request } from 'express';
import * as z from 'zod';
import type { ApiVersion } from '../http/api-version';
import { findServer } from '../servers/find-server';
import { grantedRoute, type GrantedCall, type RouteDeps } from '../servers/granted-route';
import type { RunExclusive } from '../redis/run-exclusive';
import { fullNameOf } from '../http/repository-ref';
import { ofServer, queryText, repositoryParams } from '../http/route-params';
import { effectiveEvents, OFFERED_EVENTS } from './hook-events';
import type { ManualWebhooks } from './manual-webhooks';
import {
  findWebhook,
  type UpsertedWebhook,
  upsertWebhook,
  updateIfExists,
  webhookLock,
} from './upsert-webhook';
import { removeDuplicates } from './duplicate-webhooks';
import { hookSchema, toVcsHook } from './vcs-hook';
import type { WebhookKey } from './webhook-key';
import type { WebhookTracker } from './webhook-tracker';
import type { WebhookRepairs } from './webhook-repairs';
import { describeWebhook, proxiedUrl } from './webhook-rules';

interface HookRouteDeps extends RouteDeps {
  manualWebhooks: ManualWebhooks;
  apiVersion: ApiVersion;
  runExclusive: RunExclusive;
  webhookKey: WebhookKey;
  webhookTracker: WebhookTracker;
  webhookRepairs: WebhookRepairs;
}

const ofHook = { params: repositoryParams, answer: vcsHookSchema };
const foundBy = z.object({ url: queryText('Where it leads, as the API knows it.') });
const deletedBy = foundBy.extend({ id: queryText('Of the webhook at Bitbucket, or `url`.') });

/** What CDS may do with webhooks; those of a repository: creating, finding, updating, deleting. */
export function addHookRoutes(router: Router, deps: HookRouteDeps): void {
  const { webhookTracker, webhookRepairs } = deps;
  router.get(
    '/vcs/:name/webhooks',
    { summary: 'What CDS may do with webhooks', ...ofServer, answer: vcsWebhooksInfoSchema },
    () =>
      handle(async (req): Promise<VcsWebhooksInfo> => {
        const { disableWebHooks, disableWebHooksCreation } = findServer(deps.servers, req).config;
        return {
          webhooks_supported: true,
          webhooks_disabled: disableWebHooks,
          webhooks_creation_supported: true,
          webhooks_creation_disabled: disableWebHooksCreation,
          webhooks_icon: 'Bitbucket',
          // There is no Gerrit at Bitbucket Cloud.
          gerrithook_disabled: true,
          events: OFFERED_EVENTS,
        };
      }),
  );

  const path = '/vcs/:name/repos/:owner/:repo/hooks';

  router.post(
    path,
    {
      summary: 'Creates a webhook',
      description: 'Or updates the one with this URL.',
      ...ofHook,
      body: hookSchema,
    },
    grantedRoute(deps, 'notFound', async (call, { body }) => {
      const hook = readHook(call, body);
      const events = effectiveEvents(hook.events);
      const id = await upsert(call, '', hook, events);
      // CDS before 0.42 gets back what it sent; it does not know of events.
      const knowsEvents = hook.events?.length || deps.apiVersion.atLeast(0, 42);
      return { ...hook, id, events: knowsEvents ? events : hook.events };
    }),
  );

  router.put(
    path,
    { summary: 'Updates a webhook', ...ofHook, body: hookSchema },
    grantedRoute(deps, 'notFound', async (call, { body }) => {
      const hook = readHook(call, body);
      const events = effectiveEvents(hook.events);
      return { ...hook, id: await upsert(call, hook.id, hook, events), events };
    }),
  );

  router.get(
    path,
    { summary: 'Finds a webhook', ...ofHook, query: foundBy },
    grantedRoute(deps, 'notFound', async (call, { query }) => {
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
    grantedRoute(deps, 'notFound', async (call, { query }) => {
      const { id, url } = query(call.req);
      if (id === '' && url === '')
        throw new CdsError('wrongRequest', {
          from: 'name the webhook in the query: ?url= or ?id=',
        });
      const { repo } = call;
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
      await deps.manualWebhooks.add({ repository: fullNameOf(call.repo), url, events });
      return '';
    }
    // Two replicas that both find none would both create one.
    const lock = webhookLock(call.repo, url);
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
  for (const uuid of uuids) await call.bitbucket.deleteHook(call.repo, uuid, call.ctx);
  return uuids[0] ?? '';
}

/** Never rejects, since the API has what it asked for: the next repair tries again. */
async function removeDuplicatesOf(
  deps: HookRouteDeps,
  call: GrantedCall,
  upserted: UpsertedWebhook,
) {
  const { repo } = call;
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
