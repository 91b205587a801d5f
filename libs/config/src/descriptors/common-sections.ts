import type { ServiceName } from '../config-types';
import type { KeyDescriptor, SectionDescriptor } from './descriptor';

/** Printed where the token belongs, in the words of CDS, which every CDS operator knows. */
const TOKEN_PLACEHOLDER = 'enter sharedInfraToken from section [api.auth] here';

const DAY = 86_400;

/** `[SERVICE.api]`, `[SERVICE.cache]` and `[SERVICE.http]`: the same for both services but for the port. */
export function commonSections(service: ServiceName, port: number): SectionDescriptor[] {
  return [
    {
      path: [service, 'api'],
      comment: 'How the service talks to the CDS API.',
      keys: [
        {
          name: 'maxHeartbeatFailures',
          default: 10,
          rule: { kind: 'integer', min: 0 },
          comment:
            service === 'vcs'
              ? 'Heartbeats that may fail in a row; the service ends when it is one more.'
              : 'Heartbeats that may fail in a row; /mon/status shows AL when it is one more. The service goes on accepting webhooks.',
        },
        {
          name: 'requestTimeout',
          default: 10,
          rule: { kind: 'integer', min: 1, max: 3600 },
          comment: 'Time limit of a call to the API, in seconds. Asking for a run always has 60 s.',
        },
        {
          name: 'token',
          default: '',
          placeholder: TOKEN_PLACEHOLDER,
          rule: {
            kind: 'secret',
            lineBreak:
              'remove it; where webhookKey is empty, put the token with its line break into hooks.previousWebhookKeys',
          },
          required: true,
          comment: 'The shared.infra token: sharedInfraToken in section [api.auth] of the CDS API.',
        },
      ],
    },
    {
      path: [service, 'api', 'grpc'],
      comment: 'Accepted because CDS prints it; not used.',
      keys: [
        {
          name: 'insecure',
          default: false,
          rule: { kind: 'boolean' },
          unused: true,
          comment: 'Not used.',
        },
        {
          name: 'url',
          default: 'http://localhost:8082',
          rule: { kind: 'text' },
          unused: true,
          comment: 'Not used.',
        },
      ],
    },
    {
      path: [service, 'api', 'http'],
      comment: 'Where the CDS API is.',
      keys: [
        {
          name: 'insecure',
          default: false,
          rule: { kind: 'boolean' },
          comment: 'Set to true to accept any TLS certificate of the API.',
        },
        {
          name: 'url',
          default: 'http://localhost:8081',
          rule: { kind: 'url' },
          required: true,
          comment: 'URL of the CDS API.',
        },
      ],
    },
    {
      path: [service, 'cache'],
      comment: 'What the service stores.',
      keys: [
        {
          name: 'ttl',
          default: 60,
          rule: { kind: 'integer', min: 0 },
          unused: true,
          comment: 'Not used: nothing here expires by a common time.',
        },
      ],
    },
    {
      path: [service, 'cache', 'redis'],
      comment:
        'Redis. Give it an append-only file and maxmemory-policy noeviction: what it loses is lost.',
      keys: [
        {
          name: 'host',
          default: 'localhost:6379',
          rule: { kind: 'redis' },
          required: true,
          comment: 'host:port, or name@sentinel1:26379,sentinel2:26379 for Redis Sentinel.',
        },
        {
          name: 'password',
          default: '',
          rule: { kind: 'secret', lineBreak: 'remove it unless the password of Redis has it' },
          comment: 'Password of Redis (with Sentinel: of the master); empty when it asks for none.',
        },
        {
          name: 'dbindex',
          default: 0,
          rule: { kind: 'integer', min: 0, max: 65_535 },
          comment: 'Number of the database in Redis, the same for all replicas.',
        },
        {
          name: 'keyPrefix',
          default: '',
          rule: { kind: 'key-prefix' },
          comment:
            'Put before the name of every key, the same for all replicas: "acme:" for instance. Two CDS that share a Redis need different ones, or different databases.',
        },
      ],
    },
    {
      path: [service, 'http'],
      comment: 'Where the service listens.',
      keys: [
        {
          name: 'addr',
          default: '',
          rule: { kind: 'address' },
          comment: 'Address to listen on, without a port, 127.0.0.1 for instance; empty means all.',
        },
        {
          name: 'port',
          default: port,
          rule: { kind: 'integer', min: 1, max: 65_535 },
          comment: 'Port to listen on.',
        },
        ...(service === 'hooks' ? [...PUBLIC_LISTENER, TRUSTED_PROXIES] : []),
      ],
    },
  ];
}

const PUBLIC_LISTENER: KeyDescriptor[] = [
  {
    name: 'publicPort',
    default: 0,
    rule: { kind: 'integer', min: 0, max: 65_535 },
    comment:
      'A second port that serves /webhook/ alone: the one to show to the internet. port goes on serving everything, webhooks too. 0 is none.',
  },
  {
    name: 'publicAddr',
    default: '',
    rule: { kind: 'address' },
    comment: 'Address to listen on at publicPort; empty means all.',
  },
];

const TRUSTED_PROXIES: KeyDescriptor = {
  name: 'trustedProxies',
  default: [],
  rule: { kind: 'networks' },
  comment:
    'Addresses and networks of the reverse proxies in front of this service: from them X-Forwarded-For tells whose requests to limit after many refusals.',
};

/** `webhookKey` and `previousWebhookKeys`. */
export function webhookKeys(service: ServiceName): KeyDescriptor[] {
  return [
    {
      name: 'webhookKey',
      default: '',
      rule: {
        kind: 'secret',
        lineBreak:
          'remove it in [vcs] and [hooks], and put the key with its line break into hooks.previousWebhookKeys',
      },
      comment:
        'Secret that the secrets of webhooks are made of, the same in [vcs] and [hooks]: 32 random characters or more. When empty, api.token is used, and a new token then means new secrets.',
    },
    {
      name: 'previousWebhookKeys',
      default: [],
      rule: { kind: 'secrets' },
      ...(service === 'vcs' && { unused: true }),
      comment:
        service === 'hooks'
          ? 'Values that webhookKey (or api.token) had before: signatures made with them stay right while the webhooks get their new secrets.'
          : 'Accepted so that both sections may read alike; not used.',
    },
  ];
}

/** A year: longer pauses are a mistake in the unit. */
export const LONGEST_DELAY_SECONDS = 365 * DAY;
export const DAY_SECONDS = DAY;
