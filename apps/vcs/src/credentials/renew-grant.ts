import { DeadGrantError, type OAuthClient } from '@cds/bitbucket';
import { abortable, withTimeout } from '@cds/network';
import { LockTimeoutError, vcsKeys, withLock } from '@cds/redis';
import type { Logger } from '@cds/service';
import { CdsError } from '@cds/wire';
import type { Redis } from 'ioredis';
import { tokenErrorToCds } from '../http/bitbucket-errors';
import type { RefreshResult } from '../monitoring/vcs-metrics';
import { grantFrom, type Grant } from './grant';
import type { GrantStore } from './grant-store';
import { createRefusals } from './refusals';
import { redisNeeded, type UnsavedGrants } from './unsaved-grants';

/** Longer than all work under the lock: one refresh and storing it, each 20 s at most. */
const LOCK_TTL_MS = 44_000;
/** Longer than the lock lives after its holder was killed. */
const LOCK_WAIT_MS = 46_000;
const REFRESH_MS = 20_000;

/** The grant to renew. */
interface Renewal {
  key: string;
  /** The refresh token to use when Redis holds none for `key`. */
  givenRefreshToken: string;
  /** The access token that Bitbucket refused, or that is about to expire. */
  rejected: string;
}

export type GrantRenewals = ReturnType<typeof createGrantRenewals>;

export function createGrantRenewals(deps: {
  redis: Redis;
  store: GrantStore;
  unsaved: UnsavedGrants;
  oauth: Pick<OAuthClient, 'refresh'>;
  logger: Logger;
  /** Called with the result of each request for new tokens. */
  onRefresh(result: RefreshResult): void;
}) {
  const { redis, store, unsaved, oauth, logger, onRefresh } = deps;
  const underway = new Map<string, Promise<Grant>>();
  const refused = createRefusals();

  async function refresh(key: string, refreshToken: string, before: number): Promise<Grant> {
    const known = refused.reasonToWait(refreshToken);
    if (known !== undefined) throw new CdsError('grantRefused', { from: known });
    try {
      const ctx = { signal: AbortSignal.timeout(REFRESH_MS), deadline: Date.now() + REFRESH_MS };
      const tokens = await oauth.refresh(refreshToken, ctx);
      const grant = grantFrom(tokens, Date.now(), before);
      await unsaved.save(key, grant);
      onRefresh('renewed');
      logger.info({ key }, 'grant renewed');
      return grant;
    } catch (error) {
      onRefresh(error instanceof DeadGrantError ? 'refused' : 'failed');
      if (error instanceof DeadGrantError) {
        refused.add(refreshToken, error.bitbucketMessage);
        logger.warn({ key, err: error }, 'grant refused by Bitbucket: link its project again');
      }
      throw tokenErrorToCds(error);
    }
  }

  async function renew({ key, givenRefreshToken, rejected }: Renewal): Promise<Grant> {
    await unsaved.settled(key);
    const before = await store.readFresh(key);
    if (before && before.accessToken !== rejected) return before;
    return withLock(
      redis,
      vcsKeys.lock(key),
      { ttlMs: LOCK_TTL_MS, waitMs: LOCK_WAIT_MS, pollMs: 50 },
      async () => {
        const grant = await store.readFresh(key);
        if (grant && grant.accessToken !== rejected) return grant;
        return refresh(key, grant?.refreshToken ?? givenRefreshToken, grant?.generation ?? 0);
      },
    );
  }

  /** Runs one renewal of a grant at a time in this process; the lock is for other replicas. */
  function alone(renewal: Renewal): Promise<Grant> {
    const running = underway.get(renewal.key);
    if (running) return running;
    const started = renew(renewal).finally(() => underway.delete(renewal.key));
    underway.set(renewal.key, started);
    started.catch(() => undefined);
    return started;
  }

  /**
   * Returns a grant whose access token is not `rejected`: another caller's, else a refreshed one,
   * which is in Redis by then. All callers and replicas share one refresh. It goes on when its
   * caller is gone, since an answer of Bitbucket that is dropped is a grant lost.
   * @throws CdsError 401 id 44 when the grant is dead, 503 when Redis is away, else as Bitbucket's
   */
  async function renewGrant(renewal: Renewal): Promise<Grant> {
    try {
      const grant = await alone(renewal);
      // The renewal under way may have been for an older token, and returned the rejected one.
      return grant.accessToken === renewal.rejected ? await alone(renewal) : grant;
    } catch (error) {
      if (error instanceof CdsError) throw error;
      if (error instanceof LockTimeoutError)
        throw new CdsError('unavailable', {
          from: 'another call renews the access token and takes too long: repeat the call',
          cause: error,
        });
      logger.warn({ err: error }, 'grant not renewed: Redis does not answer');
      throw redisNeeded(error);
    }
  }

  return {
    renewGrant,
    /** Waits at most `deadlineMs` for renewals under way, those without callers included. */
    async close(deadlineMs: number): Promise<void> {
      const renewals = Promise.allSettled(underway.values());
      const late = () => new Error('renewals are still under way');
      try {
        await withTimeout(undefined, deadlineMs, ({ signal }) => abortable(renewals, signal, late));
      } catch (error) {
        logger.error({ err: error }, 'grants may be lost: link their projects again');
      }
    },
  };
}
