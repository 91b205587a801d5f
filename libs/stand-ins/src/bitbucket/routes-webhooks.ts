import { parseUrl } from '@cds/network';
import type { Response } from 'express';
import { BitbucketApiError, invalidField } from './api-error';
import {
  bodyOf,
  guarded,
  listing,
  repositoryOf,
  requireScopesOf,
  type Routes,
} from './api-context';
import { checkedLength } from './field-checks';
import { REPOSITORY_EVENTS, scopeOfEvent } from './hook-events';
import type { Json, Repository, Webhook } from './model';
import { bracedUuid } from './repository-store';

const MAX_SECRET_LENGTH = 128;
const MAX_TEXT_LENGTH = 255;

/** Webhooks of a repository. */
export const webhookRoutes: Routes = (router, context) => {
  const { render } = context;
  const root = '/repositories/:workspace/:slug/hooks';

  router.get(
    root,
    guarded(['webhook'], (request) => {
      const repository = repositoryOf(context, request);
      const hooks = [...repository.webhooks.values()];
      return listing(
        context,
        request,
        hooks.map((hook) => render.webhook(repository, hook)),
      );
    }),
  );

  router.post(
    root,
    guarded(['webhook'], (request, response) => {
      const repository = repositoryOf(context, request);
      const hook = changed(
        {
          uuid: bracedUuid(),
          url: '',
          description: '',
          active: true,
          events: [],
          createdAt: now(),
        },
        { url: undefined, events: undefined, ...bodyOf(request) },
        response,
      );
      repository.webhooks.set(hook.uuid, hook);
      response
        .status(201)
        .set(
          'Location',
          String(render.apiOf(repository, `/hooks/${encodeURIComponent(hook.uuid)}`)['href']),
        );
      return render.webhook(repository, hook);
    }),
  );

  router.get(
    `${root}/:uuid`,
    guarded(['webhook'], (request) => {
      const repository = repositoryOf(context, request);
      return render.webhook(repository, webhookOf(repository, request.params['uuid']));
    }),
  );

  router.put(
    `${root}/:uuid`,
    guarded(['webhook'], (request, response) => {
      const repository = repositoryOf(context, request);
      const before = webhookOf(repository, request.params['uuid']);
      const hook = changed(before, bodyOf(request), response);
      repository.webhooks.set(hook.uuid, hook);
      return render.webhook(repository, hook);
    }),
  );

  router.delete(
    `${root}/:uuid`,
    guarded(['webhook'], (request) => {
      const repository = repositoryOf(context, request);
      repository.webhooks.delete(webhookOf(repository, request.params['uuid']).uuid);
      return undefined;
    }),
  );
};

function now(): string {
  return new Date().toISOString();
}

/** @throws BitbucketApiError 404, also for a uuid without its braces. */
function webhookOf(repository: Repository, uuid: string | undefined): Webhook {
  const found = repository.webhooks.get(uuid ?? '');
  if (!found) throw new BitbucketApiError(404, `${uuid ?? ''} not found`);
  return found;
}

/**
 * The webhook with what a body changes: keys that are absent stay. @throws BitbucketApiError 400,
 * 403
 */
function changed(before: Webhook, body: Json, response: Response): Webhook {
  const { secret: secretBefore, ...rest } = before;
  const hook: Webhook = { ...rest };
  if ('url' in body) hook.url = checkedUrl(body['url']);
  if ('events' in body) hook.events = checkedEvents(body['events'], response);
  if ('description' in body) {
    const { description } = body;
    if (typeof description !== 'string') throw invalidField('description', 'expected a string');
    hook.description = checkedLength('description', description, MAX_TEXT_LENGTH);
  }
  if ('active' in body) {
    const { active } = body;
    if (typeof active !== 'boolean') throw invalidField('active', 'expected a boolean');
    hook.active = active;
  }
  const secret = 'secret' in body ? checkedSecret(body['secret']) : secretBefore;
  return secret ? { ...hook, secret } : hook;
}

/**
 * The real one also wants a host that it can reach; here the services have names of a network of
 * containers.
 */
function checkedUrl(url: unknown): string {
  if (typeof url === 'string' && /^https?:\/\/[^/\s]+/.test(url) && parseUrl(url)) return url;
  throw invalidField('url', 'Enter a valid URL.');
}

function checkedEvents(events: unknown, response: Response): string[] {
  if (!Array.isArray(events) || events.length === 0)
    throw invalidField('events', 'at least one event is required');
  for (const event of events as unknown[]) {
    if (!(REPOSITORY_EVENTS as readonly unknown[]).includes(event))
      throw invalidField('events', `"${String(event)}" is not an event of a repository`);
    requireScopesOf(response, ['webhook', scopeOfEvent(String(event))]);
  }
  return events as string[];
}

function checkedSecret(secret: unknown): string | undefined {
  if (secret === null || secret === '') return undefined;
  if (typeof secret !== 'string') throw invalidField('secret', 'expected a string');
  return checkedLength('secret', secret, MAX_SECRET_LENGTH);
}
