import type { ProxySettings } from '@cds/network';
import type { CallContext } from '../client-types';

export interface OAuthTokens {
  accessToken: string;
  /** Single use: each refresh brings a new one. */
  refreshToken: string;
  expiresInSeconds: number;
  scopes: string[];
}

export interface OAuthClientOptions {
  /** `https://bitbucket.org/site/oauth2` */
  oauthUrl: string;
  clientId: string;
  clientSecret: string;
  /** Milliseconds one attempt may take. Default 15000. */
  timeoutMs?: number;
  /** Default: none. */
  proxies?: ProxySettings | undefined;
  /** Milliseconds before the first repeat; doubled each time. Default 1000. */
  firstPauseMs?: number;
}

/** Authorization code and refresh token grants (RFC 6749, 4.1 and 6). */
export interface OAuthClient {
  /** Where the user's browser is sent. `state` comes back with the code. */
  authorizeUrl(state: string): string;
  /** Throws DeadGrantError when the code is used, expired or made up. */
  exchangeCode(code: string, ctx: CallContext): Promise<OAuthTokens>;
  /** Throws DeadGrantError when the refresh token is used, revoked or expired. */
  refresh(refreshToken: string, ctx: CallContext): Promise<OAuthTokens>;
}
