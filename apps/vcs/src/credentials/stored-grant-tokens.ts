import type { AccessTokenSource } from '@cds/bitbucket';
import { abortable } from '@cds/network';
import { CdsError } from '@cds/wire';
import { deadlinePassed } from '../http/request-deadline';
import { isExpiring, type Grant } from './grant';
import type { GrantTokensDeps } from './grant-tokens';

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
