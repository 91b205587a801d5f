import type { OAuthTokens } from '@cds/bitbucket';

/** The newest token pair of one linked project. */
export interface Grant {
  accessToken: string;
  /** Works once: a refresh returns a new one. */
  refreshToken: string;
  /** Milliseconds since 1970. */
  expiresAt: number;
  /** Milliseconds for which Bitbucket issued the access token. */
  lifetimeMs: number;
  /**
   * Orders the pairs of a grant. The time of the renewal, but always more than that of the pair
   * before.
   */
  generation: number;
}

/** The time before its end at which a token is renewed, or its last twentieth if that is less. */
const AHEAD_MS = 60_000;

/**
 * @param now when Bitbucket answered (ms)
 * @param before the generation of the pair that was used up; 0 where there is none
 */
export function grantFrom(tokens: OAuthTokens, now: number, before = 0): Grant {
  const lifetimeMs = tokens.expiresInSeconds * 1000;
  return {
    accessToken: tokens.accessToken,
    refreshToken: tokens.refreshToken,
    expiresAt: now + lifetimeMs,
    lifetimeMs,
    generation: Math.max(now, before + 1),
  };
}

/** Whether the access token should be renewed before it is used. */
export function isExpiring(grant: Grant, now: number): boolean {
  return grant.expiresAt - now < Math.min(AHEAD_MS, grant.lifetimeMs / 20);
}

/** Whether the access token is past its time. */
export function isExpired(grant: Grant, now: number): boolean {
  return grant.expiresAt <= now;
}
