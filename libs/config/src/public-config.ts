import type { HooksConfig, VcsConfig } from './config-types';
import { PRINTED_SECTIONS } from './keys';
import type { ServiceName } from './keys/section';
import { formatRedisAddress } from './values/redis-host';

/**
 * What a service tells the API of its configuration when it registers, in the shape of CDS's own
 * services: no token, no client, no password.
 */
export function publicConfig(
  service: ServiceName,
  config: VcsConfig | HooksConfig,
): Record<string, unknown> {
  return {
    name: config.name,
    url: config.url,
    http: { addr: config.http.addr, port: config.http.port },
    api: {
      grpc: unused(service, 'grpc'),
      http: { insecure: config.api.insecure, url: config.api.url },
      maxHeartbeatFailures: config.api.maxHeartbeatFailures,
      requestTimeout: config.api.requestTimeoutSeconds,
    },
    cache: {
      redis: {
        host: formatRedisAddress(config.redis.address),
        dbindex: config.redis.database,
        keyPrefix: config.redis.keyPrefix,
        enableTLS: config.redis.tls !== undefined,
        insecureSkipVerifyTLS: config.redis.tls?.rejectUnauthorized === false,
      },
      ...unused(service, 'cache'),
    },
    ...('servers' in config ? vcsPart(config) : hooksPart(config)),
  };
}

/** The defaults of what is known and unused in a section. */
function unused(service: ServiceName, section: string): Record<string, unknown> {
  const keys = PRINTED_SECTIONS[service].find(({ path }) => path.at(-1) === section)?.keys ?? [];
  return Object.fromEntries(keys.filter((key) => key.unused).map((key) => [key.name, key.default]));
}

function vcsPart(config: VcsConfig): Record<string, unknown> {
  return {
    ...(config.uiUrl !== undefined && { UI: { http: { url: config.uiUrl } } }),
    proxy_webhook: config.proxyWebhook ?? '',
    servers: Object.fromEntries(
      config.servers.map(({ name, url, ...server }) => [
        name,
        {
          url,
          bitbucketcloud: {
            disableWebHooks: server.disableWebHooks,
            disableWebHooksCreation: server.disableWebHooksCreation,
            callsPerHour: server.callsPerHour,
            Status: server.status,
          },
        },
      ]),
    ),
  };
}

function hooksPart(config: HooksConfig): Record<string, unknown> {
  return {
    urlPublic: config.urlPublic,
    disable: config.disable,
    executionHistory: config.executionHistory,
    retryDelay: config.retryDelaySeconds,
    retryError: config.retryError,
    branchDeletion: { delay: config.branchDeletion.delaySeconds },
    reconcile: { interval: config.reconcile.intervalSeconds },
    signature: config.signature,
    deadLetters: config.deadLetters,
  };
}
