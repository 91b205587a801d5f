import { createOAuthClient, type OAuthClient } from '@cds/bitbucket';
import type { BitbucketServerConfig } from '@cds/config';
import { createGrants, type Grants } from '../credentials/grants';
import { traceOAuth } from '../monitoring/trace-calls';
import {
  type BitbucketServer,
  type BitbucketServerDeps,
  createBitbucketServer,
} from './bitbucket-server';

/** A `[vcs.servers.NAME]`: an OAuth consumer of Bitbucket Cloud, its grants and its calls. */
export interface OAuthServer extends BitbucketServer {
  config: BitbucketServerConfig;
  oauth: OAuthClient;
  grants: Grants;
}

export function createOAuthServer(
  deps: BitbucketServerDeps,
  config: BitbucketServerConfig,
): OAuthServer {
  const { redis, metrics, proxies, tracing } = deps;
  const { name, apiUrl, oauthUrl, clientId, clientSecret, callsPerHour } = config;
  const client = createOAuthClient({ oauthUrl, clientId, clientSecret, proxies });
  const oauth = tracing ? traceOAuth(client, tracing) : client;
  const counter = {
    ...{ apiUrl, clientId, callsPerHour, label: name },
    holder: `the OAuth consumer of ${name}`,
  };
  const server = createBitbucketServer(deps, config, { counter });
  metrics.showBudget(name, callsPerHour, server.budget.state);
  return {
    ...server,
    config,
    oauth,
    grants: createGrants({
      ...{ redis, oauth, clientSecret },
      logger: deps.logger.child({ server: name }),
      onRefresh: metrics.tokenRefresh,
    }),
  };
}
