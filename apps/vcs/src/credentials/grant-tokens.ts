import { hash } from 'node:crypto';
import type { AccessTokenSource, CallContext } from '@cds/bitbucket';
import { abortable } from '@cds/network';
import { vcsKeys } from '@cds/redis';
import type { Logger } from '@cds/service';
import { CdsError } from '@cds/wire';
import { deadlinePassed } from '../http/request-deadline';
import type { AccessPair } from './access-headers';
import type { CallCredential } from './call-credential';
import { isExpired, isExpiring, type Grant } from './grant';
import type { GrantStore } from './grant-store';
import type { GrantRenewals } from './renew-grant';
import type { UnsavedGrants } from './unsaved-grants';

interface GrantTokensDeps {
  store: GrantStore;
  unsaved: UnsavedGrants;
  renewGrant: GrantRenewals['renewGrant'];
  logger: Logger;
}

/** Access tokens for one request: of the newest pair in Redis, else as the API sent them. */
export function createGrantTokens(deps: GrantTokensDeps, given: AccessPair): CallCredential {
  const key = vcsKeys.grant(given.refreshToken);
  let token: Promise<string> | undefined;
  let lastUsed: string | undefined;
  let coalescedToken: string | undefined;

  function renewed(rejected: string): Promise<string> {
    return deps
      .renewGrant({ key, givenRefreshToken: given.refreshToken, rejected })
      .then((grant) => grant.accessToken);
  }

  async function first(): Promise<string> {
    // A pair that is not in Redis yet must not be used, and the one before it is used up.
    await deps.unsaved.settled(key);
    const grant = await deps.store.read(key).catch((error: unknown) => {
      deps.logger.warn({ err: error }, "Redis does not answer: the API's access token is used");
      return undefined;
    });
    if (!grant) return given.accessToken;
    if (!isExpiring(grant, Date.now())) return grant.accessToken;
    try {
      return await renewed(grant.accessToken);
    } catch (error) {
      if (isExpired(grant, Date.now())) throw error;
      deps.logger.warn({ err: error }, 'grant not renewed ahead of time; its token still holds');
      return grant.accessToken;
    }
  }

  async function use(chosen: Promise<string>, ctx: CallContext): Promise<string> {
    token = chosen;
    try {
      lastUsed = await abortable(chosen, ctx.signal, deadlinePassed);
      return lastUsed;
    } catch (error) {
      if (token === chosen) token = undefined;
      throw error;
    }
  }

  const used = () => lastUsed ?? coalescedToken;

  return {
    key,
    sender: hash('sha256', JSON.stringify(given)),
    get lastUsed() {
      return used();
    },
    get newAccessToken() {
      return used() === given.accessToken ? undefined : used();
    },
    noteCoalesced(token) {
      coalescedToken = token;
    },
    adviceOn: () => undefined,
    current: (ctx) => use(token ?? first(), ctx),
    async renew(rejected, ctx) {
      // Parallel calls are refused in parallel: the new token of the first serves the others.
      if (token && lastUsed !== rejected) return use(token, ctx);
      const next = await use(renewed(rejected), ctx);
      if (next === rejected) throw new CdsError('grantRefused');
      return next;
    },
  };
}

/**
 * Access tokens for work without a request: of the newest pair in Redis alone.
 * @param key `vcsKeys.grant` of it
 * @throws CdsError 401 id 44 (by its methods) where Redis holds no pair; 503 while Redis is away
 */
export function createStoredGrantTokens(
  { store, unsaved, renewGrant }: Omit<GrantTokensDeps, 'logger'>,
  key: string,
): AccessTokenSource {
  async function stored(): Promise<Grant> {
    await unsaved.settled(key);
    const grant = await store.read(key);
    if (grant) return grant;
    throw new CdsError('grantRefused', {
      from: 'Redis holds no tokens of the project yet: they are there after its next renewal',
    });
  }

  async function renewed(rejected: string): Promise<string> {
    const { refreshToken } = await stored();
    const grant = await renewGrant({ key, givenRefreshToken: refreshToken, rejected });
    return grant.accessToken;
  }

  async function current(): Promise<string> {
    const grant = await stored();
    return isExpiring(grant, Date.now()) ? renewed(grant.accessToken) : grant.accessToken;
  }

  return {
    current: (ctx) => abortable(current(), ctx.signal, deadlinePassed),
    renew: (rejected, ctx) => abortable(renewed(rejected), ctx.signal, deadlinePassed),
  };
}
