import type { AccessTokenSource, OAuthClient, OAuthTokens } from '@cds/bitbucket';
import { createGrantCipher, vcsKeys } from '@cds/redis';
import type { Logger } from '@cds/service';
import type { Redis } from 'ioredis';
import type { RefreshResult } from '../monitoring/vcs-metrics';
import type { AccessPair } from './access-headers';
import { grantFrom } from './grant';
import { createGrantStore } from './grant-store';
import type { CallCredential } from './call-credential';
import { createGrantTokens } from './grant-tokens';
import { createGrantRenewals } from './renew-grant';
import { createStoredGrantTokens } from './stored-grant-tokens';
import { createUnsavedGrants } from './unsaved-grants';

/** The grants of the projects that are linked through one OAuth consumer. */
export interface Grants {
  /** The access tokens for one request of the API. */
  tokensFor(given: AccessPair): CallCredential;
  /**
   * Access tokens of a grant in Redis, by the `key` of {@link CallCredential}: work without a request.
   */
  tokensOf(key: string): AccessTokenSource;
  /**
   * Stores the pair of a new linking. An outage of Redis is no failure: the API has the pair too.
   */
  save(tokens: OAuthTokens): Promise<void>;
  /** Waits at most `deadlineMs` for renewals under way and for unsaved pairs. */
  close(deadlineMs: number): Promise<void>;
}

export function createGrants(deps: {
  redis: Redis;
  oauth: Pick<OAuthClient, 'refresh'>;
  clientSecret: string;
  logger: Logger;
  onRefresh: (result: RefreshResult) => void;
}): Grants {
  const { redis, logger } = deps;
  const store = createGrantStore({ redis, cipher: createGrantCipher(deps.clientSecret), logger });
  const unsaved = createUnsavedGrants({ store, logger });
  const renewals = createGrantRenewals({ ...deps, store, unsaved });
  const ofTokens = { store, unsaved, renewGrant: renewals.renewGrant, logger };
  return {
    tokensFor: (given) => createGrantTokens(ofTokens, given),
    tokensOf: (key) => createStoredGrantTokens(ofTokens, key),
    async save(tokens) {
      try {
        await store.write(vcsKeys.grant(tokens.refreshToken), grantFrom(tokens, Date.now()));
      } catch (error) {
        logger.warn({ err: error }, 'new grant not stored in Redis: stored at its first renewal');
      }
    },
    async close(deadlineMs) {
      const endsAt = performance.now() + deadlineMs;
      await renewals.close(deadlineMs);
      await unsaved.close(Math.max(0, endsAt - performance.now()));
    },
  };
}
