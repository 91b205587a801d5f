import type { HooksConfig, ServiceName, VcsConfig } from '@cds/config';
import { isConsumerToken } from '@cds/wire';
import type { TakeSecret } from './watch-secret-files';

/**
 * What a running service can do with a changed secret, by its variable: the passwords of Redis are
 * for the next connection, the token of a consumer is for the next sign-in. The token is left alone
 * where it is also the key of webhooks, or proves whose the state in Redis is.
 * @param o.config changed in place, so that all who read it see the same
 * @param o.webhookKey the present key of webhooks; undefined without one
 */
export function takeSecrets(o: {
  service: ServiceName;
  config: Pick<VcsConfig | HooksConfig, 'api' | 'redis'>;
  webhookKey: string | undefined;
}): Record<string, TakeSecret> {
  const { config, webhookKey } = o;
  const { token } = config.api;
  const isTokenAlone = isConsumerToken(token) && webhookKey !== undefined && webhookKey !== token;
  const prefix = `CDS_${o.service.toUpperCase()}`;
  return {
    [`${prefix}_API_TOKEN`](next) {
      if (!isTokenAlone || !isConsumerToken(next)) return false;
      config.api.token = next;
      return true;
    },
    [`${prefix}_CACHE_REDIS_PASSWORD`](next) {
      config.redis.password = next;
      return true;
    },
    [`${prefix}_CACHE_REDIS_TLSKEYPASSPHRASE`](next) {
      const ofBoth = [config.redis.tls, config.redis.sentinel?.tls].filter((tls) => !!tls);
      for (const tls of ofBoth) tls.keyPassphrase = next;
      return ofBoth.length > 0;
    },
    [`${prefix}_CACHE_REDIS_SENTINELPASSWORD`](next) {
      if (!config.redis.sentinel) return false;
      config.redis.sentinel.password = next;
      return true;
    },
  };
}
