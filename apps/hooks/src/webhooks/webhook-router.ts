import { createRouter, type FastPathHandler, type Router } from '@cds/service';
import { nanosecondsSchema, taskTypeSchema } from '@cds/wire';
import { z } from 'zod';

export const WEBHOOK_METHODS: readonly string[] = ['POST', 'GET', 'PUT', 'DELETE'];

/** What the sender is told; nothing of the hook's configuration. */
const acceptedDeliverySchema = z
  .object({ uuid: z.string(), type: taskTypeSchema, timestamp: nanosecondsSchema })
  .meta({ id: 'AcceptedDelivery' });
export type AcceptedDelivery = z.infer<typeof acceptedDeliverySchema>;

/** What senders have to know of `/webhook/{uuid}`. */
const WEBHOOK = {
  summary: 'Takes a delivery in',
  description:
    'What is answered with 200 is kept, and worked off whatever happens next. A delivery that was sent again, by its `X-Request-UUID`, is answered as the first. Each hook takes one method, POST unless it is configured otherwise.',
  methods: WEBHOOK_METHODS.map((method) => method.toLowerCase()),
  params: z.object({ uuid: z.string().meta({ description: 'Of the hook.' }) }),
  rawBody: {
    description:
      'For the hook of a repository the JSON of Bitbucket Cloud, for a plain webhook JSON or a form.',
  },
  headers: {
    'X-Hub-Signature': {
      description:
        'HMAC-SHA256 of the raw body under the secret of the webhook: `sha256=` and 64 hexadecimal digits. Needed where deliveries have to be signed.',
    },
    'X-Request-UUID': { description: 'Names the delivery over all attempts of its sender.' },
    'X-Event-Key': { description: 'What happened, of Bitbucket Cloud: `repo:push`.' },
  },
  answer: acceptedDeliverySchema,
  errors: [
    'notAuthenticated',
    'notFound',
    'methodNotAllowed',
    'tooLarge',
    'tooManyRequests',
    'notImplemented',
    'unavailable',
  ],
} as const;

/**
 * `/webhook/{uuid}` by Express, for what the fast-path route leaves to it. Open to everyone, so
 * everything that comes in, and every trace it leaves, is bounded.
 */
export function createWebhookRouter(handle: FastPathHandler): Router {
  return createRouter().all(
    '/webhook/:uuid',
    WEBHOOK,
    () => (request, response) =>
      handle(request, response, {
        parameter: String(request.params['uuid']),
        address: request.ip ?? '',
      }),
  );
}

/** As every hook's URL looks; others (with an escape, for instance) are left to Express. */
const FAST_PATH = /^\/webhook\/([\w.=+-]+)(?:\?|$)/;

/** The uuid of the hook that a request's URL is for; undefined for every other URL. */
export function uuidOfWebhookUrl(url: string): string | undefined {
  return FAST_PATH.exec(url)?.[1];
}

/** A proxy may send the whole URL, which Express takes, too. */
const FOR_A_HOOK = /^(?:[A-Za-z]+:\/\/[^/?#]*)?\/webhook\//;

/** Whether a request's URL may be for a hook, whatever serves it. */
export function isWebhookUrl(url: string): boolean {
  return FOR_A_HOOK.test(url);
}
