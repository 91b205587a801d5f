import { createRouter, type FastPathHandler, type Router } from '@cds/service';
import { nanosecondsSchema, taskTypeSchema } from '@cds/wire';
import * as z from 'zod';

export const WEBHOOK_METHODS: readonly string[] = ['POST', 'GET', 'PUT', 'DELETE'];

/** The answer to a sender, without anything of the hook's configuration. */
const acceptedDeliverySchema = z
  .object({ uuid: z.string(), type: taskTypeSchema, timestamp: nanosecondsSchema })
  .meta({ id: 'AcceptedDelivery' });
export type AcceptedDelivery = z.infer<typeof acceptedDeliverySchema>;

/** The API description of `/webhook/{uuid}`. */
const WEBHOOK = {
  summary: 'Accepts a delivery',
  description:
    'A delivery that is answered 200 is stored and will be processed. A duplicate, by its ' +
    '`X-Request-UUID`, is answered like the first delivery. Each hook takes one method, POST ' +
    'unless it is configured otherwise.',
  methods: WEBHOOK_METHODS.map((method) => method.toLowerCase()),
  params: z.object({ uuid: z.string().meta({ description: 'Of the hook.' }) }),
  rawBody: {
    description:
      'For a repository webhook the JSON of Bitbucket Cloud, for a plain webhook JSON or a form.',
  },
  headers: {
    'X-Hub-Signature': {
      description:
        'HMAC-SHA256 of the raw body under the secret of the webhook: `sha256=` and 64 ' +
        'hexadecimal digits. Needed where deliveries have to be signed.',
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

/** `/webhook/{uuid}` in Express, for the requests that the fast path leaves to it. */
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

/** The form of every hook's URL. Others, for instance with an escape, are left to Express. */
const FAST_PATH = /^\/webhook\/([\w.=+-]+)(?:\?|$)/;

/** The uuid in the URL of a hook; undefined for every other URL. */
export function uuidOfWebhookUrl(url: string): string | undefined {
  return FAST_PATH.exec(url)?.[1];
}

/** A proxy may send the whole URL, which Express accepts too. */
const FOR_A_HOOK = /^(?:[A-Za-z]+:\/\/[^/?#]*)?\/webhook\//;

/** Whether a request's URL may be for a hook, on the fast path or in Express. */
export function isWebhookUrl(url: string): boolean {
  return FOR_A_HOOK.test(url);
}
