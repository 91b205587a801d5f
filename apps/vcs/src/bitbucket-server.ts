import { createBitbucketClient, createOAuthClient } from '@cds/bitbucket';
import type { AccessTokenSource, BitbucketClient, OAuthClient } from '@cds/bitbucket';
import type { BitbucketServerConfig } from '@cds/config';
import type { Logger } from '@cds/service';
import type { Redis } from 'ioredis';
import { createGrants, type Grants } from './authorization/grants';
import { createCallBudget, type CallBudget } from './calls/call-budget';

/** One `[vcs.servers.NAME]`: an OAuth consumer of Bitbucket Cloud and what belongs to it. */
export interface BitbucketServer {
  config: BitbucketServerConfig;
  oauth: OAuthClient;
  grants: Grants;
  budget: CallBudget;
  /** A client that calls Bitbucket with these tokens. */
  connect(tokens: AccessTokenSource): BitbucketClient;
}

export interface BitbucketServerDeps {
  config: BitbucketServerConfig;
  redis: Redis;
  logger: Logger;
}

export function createBitbucketServer({
  config,
  redis,
  logger,
}: BitbucketServerDeps): BitbucketServer {
  const { apiUrl, oauthUrl, clientId, clientSecret } = config;
  const serverLogger = logger.child({ server: config.name });
  const budget = createCallBudget({ redis, logger: serverLogger, server: config.name });
  const oauth = createOAuthClient({ oauthUrl, clientId, clientSecret });
  return {
    config,
    oauth,
    grants: createGrants({ redis, oauth, clientSecret, logger: serverLogger }),
    budget,
    connect: (tokens) =>
      createBitbucketClient({ apiUrl, tokens, logger: serverLogger, onCall: budget.count }),
  };
}
