import { createBitbucketClient, createOAuthClient } from '@cds/bitbucket';
import type { AccessTokenSource, BitbucketClient, OAuthClient } from '@cds/bitbucket';
import type { BitbucketServerConfig } from '@cds/config';
import type { ProxySettings } from '@cds/network';
import type { Logger } from '@cds/service';
import type { Redis } from 'ioredis';
import type { GrantTokens } from '../credentials/grant-tokens';
import { createGrants, type Grants } from '../credentials/grants';
import { createCallBudget, type CallBudget } from '../rate-limit/call-budget';
import { createRepositoryWrites, noteWrites } from '../coalescing/repository-writes';
import { createRequestCoalescer } from '../coalescing/request-coalescer';
import { createCoalescingClient } from '../coalescing/coalescing-client';
import type { VcsMetrics } from '../monitoring/vcs-metrics';

/** A `[vcs.servers.NAME]`: an OAuth consumer of Bitbucket Cloud, its grants and its calls. */
export interface BitbucketServer {
  config: BitbucketServerConfig;
  oauth: OAuthClient;
  grants: Grants;
  budget: CallBudget;
  /** A client that calls Bitbucket each time. */
  connect(tokens: AccessTokenSource): BitbucketClient;
  /** A client for a request that only reads: identical reads are coalesced. */
  connectToRead(tokens: GrantTokens): BitbucketClient;
}

export function createBitbucketServer(deps: {
  config: BitbucketServerConfig;
  redis: Redis;
  logger: Logger;
  metrics: VcsMetrics;
  /** None when not given. */
  proxies?: ProxySettings | undefined;
}): BitbucketServer {
  const { config, redis, logger, metrics, proxies } = deps;
  const { name, apiUrl, oauthUrl, clientId, clientSecret } = config;
  const serverLogger = logger.child({ server: name });
  const budget = createCallBudget({
    config,
    redis,
    logger: serverLogger,
    onListingRefused: () => metrics.heldBack('listing'),
  });
  metrics.showBudget(name, config.callsPerHour, budget.state);
  const oauth = createOAuthClient({ oauthUrl, clientId, clientSecret, proxies });
  const writes = createRepositoryWrites();
  const reads = createRequestCoalescer({ onRead: metrics.read });

  function connect(tokens: AccessTokenSource): BitbucketClient {
    const bitbucket = createBitbucketClient({
      apiUrl,
      tokens,
      proxies,
      logger: serverLogger,
      onCall(call) {
        budget.count(call);
        metrics.call(name, call);
      },
    });
    return noteWrites(bitbucket, writes);
  }

  return {
    config,
    oauth,
    grants: createGrants({
      redis,
      oauth,
      clientSecret,
      logger: serverLogger,
      onRefresh: metrics.tokenRefresh,
    }),
    budget,
    connect,
    connectToRead: (tokens) =>
      createCoalescingClient({ bitbucket: connect(tokens), tokens, reads, writes, budget }),
  };
}
