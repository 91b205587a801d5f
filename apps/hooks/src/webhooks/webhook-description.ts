import { z } from 'zod';
import { acceptedDeliverySchema, WEBHOOK_METHODS } from './accept-delivery';

/** What senders have to know of `/webhook/{uuid}`. */
export const WEBHOOK = {
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
