import type { OAuthTokens } from '@cds/bitbucket';

/** The newest token pair of one linked project. */
export interface Grant {
  accessToken: string;
  /** Single use: a refresh brings a new one. */
  refreshToken: string;
  /** Milliseconds since 1970. */
  expiresAt: number;
  /** Milliseconds for which Bitbucket issued the access token. */
  lifetimeMs: number;
  /**
   * Of two pairs of one grant, the one with the lower number is used up. It is the time of the
   * renewal, or one more than that of the pair before, so that it grows whatever is lost and
   * whatever the clocks say.
   */
  generation: number;
}

/**
 * A refresh takes place this long before the token expires, or in its last twentieth if that is
 * shorter.
 */
const AHEAD_MS = 60_000;

/**
 * The grant that a token answer makes, received at `now` (milliseconds since 1970).
 *
 * @param before the generation of the pair that was used up for it; 0 where there is none
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
