import type { OAuthClient, OAuthTokens } from '@cds/bitbucket';
import { createGrantCipher, vcsKeys } from '@cds/redis';
import type { Logger } from '@cds/service';
import type { Redis } from 'ioredis';
import type { RefreshResult } from '../monitoring/vcs-metrics';
import type { AccessPair } from './access-headers';
import { grantFrom } from './grant';
import { createGrantStore } from './grant-store';
import { createGrantTokens, createStoredGrantTokens } from './grant-tokens';
import { createGrantRenewals } from './renew-grant';
import { createUnsavedGrants } from './unsaved-grants';

export type Grants = ReturnType<typeof createGrants>;

/** The grants of the projects that are linked through one OAuth consumer. */
export function createGrants(deps: {
  redis: Redis;
  oauth: Pick<OAuthClient, 'refresh'>;
  clientSecret: string;
  logger: Logger;
  onRefresh: (result: RefreshResult) => void;
}) {
  const { redis, logger } = deps;
  const store = createGrantStore({ redis, cipher: createGrantCipher(deps.clientSecret), logger });
  const unsaved = createUnsavedGrants({ store, logger });
  const renewals = createGrantRenewals({ ...deps, store, unsaved });
  const ofTokens = { store, unsaved, renewGrant: renewals.renewGrant, logger };
  return {
    /** The access tokens for one request of the API. */
    tokensFor: (given: AccessPair) => createGrantTokens(ofTokens, given),
    /** Access tokens of a grant in Redis, by its key: for work without a request. */
    tokensOf: (key: string) => createStoredGrantTokens(ofTokens, key),
    /** Stores the pair of a new linking. An outage of Redis is no failure: the API has the pair. */
    async save(tokens: OAuthTokens): Promise<void> {
      try {
        await store.write(vcsKeys.grant(tokens.refreshToken), grantFrom(tokens, Date.now()));
      } catch (error) {
        logger.warn({ err: error }, 'new grant not stored in Redis: stored at its first renewal');
      }
    },
    /** Waits at most `deadlineMs` for renewals under way and for unsaved pairs. */
    async close(deadlineMs: number): Promise<void> {
      const endsAt = performance.now() + deadlineMs;
      await renewals.close(deadlineMs);
      await unsaved.close(Math.max(0, endsAt - performance.now()));
    },
  };
}
