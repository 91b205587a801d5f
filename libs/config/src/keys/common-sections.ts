import { section, unused, unusedAndUnprinted, type ServiceName } from './section';
import {
  address,
  boolean,
  file,
  generation,
  httpUrl,
  integer,
  keyPrefix,
  logLevel,
  oneOf,
  redisHost,
  secret,
  text,
} from './value-types';

/** Printed where the token belongs, in the words of CDS, which every CDS operator knows. */
export const SHARED_INFRA_PLACEHOLDER = 'enter sharedInfraToken from section [api.auth] here';
/** The same for CDS 0.44 and later. */
export const CONSUMER_PLACEHOLDER = 'enter the token that CDS made for this service here';

const SENTINEL_TLS = ['same', 'on', 'off'] as const;

/** What both `[vcs]` and `[hooks]` have at their top. */
export const identity = (port: number) => ({
  url: httpUrl
    .default(`http://localhost:${port}`)
    .describe('How the CDS API reaches this service.')
    .meta({ name: 'URL', notEmpty: true }),
  name: text.describe(
    'Name of this service in CDS; each replica has its own. Do not change it beside a token that CDS made for this name.',
  ),
  webhookKey: secret(
    'remove it in [vcs] and [hooks], and put the key with its line break into hooks.previousWebhookKeys',
  )
    .default('')
    .describe(
      'Key for the secrets of webhooks, the same in [vcs] and [hooks]: 32 random characters or more. Empty: api.token is the key, so a new token means new secrets; with CDS 0.44 and later no signature is checked.',
    ),
});

/** `[SERVICE.api]`, `[SERVICE.cache]` and `[SERVICE.http]`. */
export const commonSections = (service: ServiceName, port: number) => ({
  api: section(`${service}.api`, 'How the service talks to the CDS API.', {
    maxHeartbeatFailures: integer(0)
      .default(10)
      .describe(
        service === 'vcs'
          ? 'Heartbeats that may fail in a row; after one more the service exits.'
          : 'Heartbeats that may fail in a row; after one more /mon/status shows AL.',
      ),
    requestTimeoutSeconds: integer(1, 3600)
      .default(10)
      .describe('Time limit of a call to the API, in seconds. Starting a run always has 60 s.')
      .meta({ name: 'requestTimeout' }),
    token: secret(
      'remove it; where webhookKey is empty, put the token with its line break into hooks.previousWebhookKeys',
    )
      .describe(
        'CDS 0.44 and later: the token of the consumer of this service alone. Before: sharedInfraToken in section [api.auth] of the CDS API.',
      )
      .meta({ placeholder: CONSUMER_PLACEHOLDER }),
    generation: generation
      .default('auto')
      .describe(
        'Version of the CDS API: "auto" finds it out; "0.40", "0.44", "0.51", "0.54" or a version between or after them fixes it.',
      ),
  }),
  grpc: section(
    `${service}.api.grpc`,
    'Not used; CDS prints it.',
    { insecure: unused(false), url: unused('http://localhost:8082') },
    { before: '0.44' },
  ),
  apiHttp: section(`${service}.api.http`, 'Where the CDS API is.', {
    insecure: boolean
      .default(false)
      .describe('Set to true to accept any TLS certificate of the API.'),
    url: httpUrl
      .default('http://localhost:8081')
      .describe('URL of the CDS API.')
      .meta({ notEmpty: true }),
  }),
  cache: section(`${service}.cache`, 'What the service stores.', {
    ttl: unused(60),
  }),
  redis: section(
    `${service}.cache.redis`,
    'Redis needs an append-only file, and maxmemory-policy noeviction.',
    {
      host: redisHost
        .prefault('localhost:6379')
        .describe(
          'host:port, redis://user:password@host:port/database (rediss:// with TLS), the path of a socket, or name@sentinel1:26379,sentinel2:26379. What a URL holds needs no key.',
        )
        .meta({ notEmpty: true }),
      username: text.default('').describe('User of Redis (ACL); empty for the default user.'),
      password: secret('remove it unless the password of Redis has it')
        .default('')
        .describe('Password of Redis, with Sentinel of the master.'),
      database: integer(0, 65_535)
        .default(0)
        .describe('Database in Redis, the same for all replicas.')
        .meta({ name: 'dbindex' }),
      keyPrefix: keyPrefix
        .default('')
        .describe(
          'Prefix of every key, "acme:" for instance, the same for all replicas. Two CDS on one Redis need different prefixes or databases.',
        ),
      enableTLS: boolean
        .default(false)
        .describe('Set to true to encrypt connections to Redis and its Sentinels.'),
      insecureSkipVerifyTLS: boolean
        .default(false)
        .describe(
          'Set to true to accept any TLS certificate of Redis. Better: name its CA in tlsCaCertFile.',
        ),
      tlsCaCertFile: file
        .default('')
        .describe(
          'PEM file with the CAs of Redis and its Sentinels; empty for those of Node.js and NODE_EXTRA_CA_CERTS.',
        ),
      tlsCertFile: file
        .default('')
        .describe('PEM file with the client certificate, where Redis asks for one.'),
      tlsKeyFile: file.default('').describe('PEM file with the private key of tlsCertFile.'),
      tlsKeyPassphrase: secret('remove it unless the passphrase has it')
        .default('')
        .describe('Passphrase of the key in tlsKeyFile.'),
      tlsServerName: address
        .default('')
        .describe('Name in the certificate of Redis, where host has another, as with Sentinel.'),
      sentinelUsername: text.default('').describe('User of the Sentinels (ACL).'),
      sentinelPassword: secret('remove it unless the password of the Sentinels has it')
        .default('')
        .describe('Password of the Sentinels.'),
      sentinelTLS: oneOf(SENTINEL_TLS)
        .default('same')
        .describe('Encryption of connections to Sentinels: "same" as to Redis, "on" or "off".'),
    },
  ),
  http: section(`${service}.http`, 'Where the service listens.', {
    addr: address.default('').describe('Address to listen on, without a port; empty means all.'),
    port: integer(1, 65_535).default(port).describe('Port to listen on.'),
    stopDelaySeconds: integer(0, 60)
      .default(0)
      .describe(
        'Seconds after SIGTERM for which requests are still taken while /mon/ready answers 503, for a load balancer to see it.',
      )
      .meta({ name: 'stopDelay' }),
    headerXForwardedFor: unusedAndUnprinted(
      '',
      'Not used: hooks.http.trustedProxies says whose X-Forwarded-For counts.',
    ),
  }),
});

/** `[log]`, common to all services of a file. */
export const LOG_SECTIONS = {
  log: section('log', 'Logs go to standard output, one JSON object a line.', {
    level: logLevel.default('info').describe('debug, info, warning or error.'),
    format: unusedAndUnprinted('', 'Not used: logs are JSON.'),
    skipTextFields: unusedAndUnprinted([], 'Not used: logs are JSON.'),
    textFields: unusedAndUnprinted([], 'Not used: logs are JSON.'),
  }),
  graylog: section('log.graylog', 'Not used; CDS prints it.', {
    extraKey: unused(''),
    extraValue: unused(''),
    host: unused(''),
    port: unused(0),
    protocol: unused(''),
  }),
};
