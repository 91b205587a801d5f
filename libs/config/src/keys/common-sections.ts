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
  url: httpUrl('How the CDS API reaches this service.', { name: 'URL', notEmpty: true }).default(
    `http://localhost:${port}`,
  ),
  name: text(
    'Name in CDS, of this replica alone. Do not change it beside a token that CDS made for it.',
  ),
  webhookKey: secret(
    'remove it in [vcs] and [hooks], and put the key with its line break into hooks.previousWebhookKeys',
  )(
    'Key for the secrets of webhooks, the same in [vcs] and [hooks]: 32 random characters or more. Empty: api.token is the key, so a new token means new secrets; with CDS 0.44 and later no signature is checked.',
  ).default(''),
});

/** `[SERVICE.api]`, `[SERVICE.cache]` and `[SERVICE.http]`. */
export const commonSections = (service: ServiceName, port: number) => ({
  api: section(`${service}.api`, 'The CDS API.', {
    maxHeartbeatFailures: integer(0)(
      'Heartbeats, one every 30 s, that may fail in a row; after one more vcs exits with code 1, and hooks shows AL in /mon/status.',
    ).default(10),
    requestTimeoutSeconds: integer(1, 3600)(
      'Seconds for a call to the API. Starting a run always has 60.',
      { name: 'requestTimeout' },
    ).default(10),
    token: secret(
      'remove it; where webhookKey is empty, put the token with its line break into hooks.previousWebhookKeys',
    )(
      'CDS 0.44 and later: the token of the consumer of this service alone. Before: sharedInfraToken in section [api.auth] of the CDS API.',
      { placeholder: CONSUMER_PLACEHOLDER },
    ),
    generation: generation(
      'Version of the CDS API, "0.51" for instance; "auto" finds it out.',
    ).default('auto'),
  }),
  grpc: section(
    `${service}.api.grpc`,
    'Not used; CDS prints it.',
    { insecure: unused(false), url: unused('http://localhost:8082') },
    { before: '0.44' },
  ),
  apiHttp: section(`${service}.api.http`, 'Its address.', {
    insecure: boolean('Whether to accept any TLS certificate of the API.').default(false),
    url: httpUrl('URL of the CDS API.', { notEmpty: true }).default('http://localhost:8081'),
  }),
  cache: section(`${service}.cache`, 'What the service stores.', {
    ttl: unused(60),
  }),
  redis: section(
    `${service}.cache.redis`,
    'Redis needs an append-only file, and maxmemory-policy noeviction.',
    {
      host: redisHost(
        'host:port, redis://user:password@host:port/database (rediss:// with TLS), the path of a socket, or name@sentinel1:26379,sentinel2:26379. What a URL holds needs no key.',
        { notEmpty: true },
      ).prefault('localhost:6379'),
      username: text('User of Redis (ACL); empty for the default user.').default(''),
      password: secret('remove it unless the password of Redis has it')(
        'Password of Redis, with Sentinel of the master.',
      ).default(''),
      database: integer(0, 65_535)('Database in Redis, the same for all replicas.', {
        name: 'dbindex',
      }).default(0),
      keyPrefix: keyPrefix(
        'Prefix of every key, "acme:" for instance, the same for all replicas. Two CDS on one Redis need different prefixes or databases.',
      ).default(''),
      enableTLS: boolean('Whether to encrypt connections to Redis and its Sentinels.').default(
        false,
      ),
      insecureSkipVerifyTLS: boolean(
        'Whether to accept any TLS certificate of Redis. Better: tlsCaCertFile.',
      ).default(false),
      tlsCaCertFile: file(
        'PEM file with the CAs of Redis and its Sentinels; empty for those of Node.js and NODE_EXTRA_CA_CERTS.',
      ).default(''),
      tlsCertFile: file('PEM file with the client certificate.').default(''),
      tlsKeyFile: file('PEM file with the private key of tlsCertFile.').default(''),
      tlsKeyPassphrase: secret('remove it unless the passphrase has it')(
        'Passphrase of the key in tlsKeyFile.',
      ).default(''),
      tlsServerName: address('Name in the certificate of Redis, where host has another.').default(
        '',
      ),
      sentinelUsername: text('User of the Sentinels (ACL).').default(''),
      sentinelPassword: secret('remove it unless the password of the Sentinels has it')(
        'Password of the Sentinels.',
      ).default(''),
      sentinelTLS: oneOf(SENTINEL_TLS)(
        'Encryption to Sentinels: "same" as to Redis, "on" or "off".',
      ).default('same'),
    },
  ),
  http: section(`${service}.http`, 'Where it listens.', {
    addr: address('Address to listen on, without a port; empty means all.').default(''),
    port: integer(1, 65_535)('Port to listen on.').default(port),
    stopDelaySeconds: integer(0, 60)(
      'Seconds after SIGTERM for which requests are still taken while /mon/ready answers 503, for load balancers.',
      { name: 'stopDelay' },
    ).default(0),
    headerXForwardedFor: unusedAndUnprinted(
      '',
      'Not used: hooks.http.trustedProxies says whose X-Forwarded-For counts.',
    ),
  }),
});

/** `[log]`, common to all services of a file. */
export const LOG_SECTIONS = {
  log: section('log', 'Logs are JSON, on standard output.', {
    level: logLevel('debug, info, warning or error.').default('info'),
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
